import type { ModelId } from '../../units/ids.ts'
import type { List, Model, Page } from './wire.ts'

/** All on one page. */
export const listOf = <Of>(data: readonly Of[]): List<Of> => ({ object: 'list', data })

/** `last`: where the next page goes on, which may be behind the last one shown. */
export const pageOfObjects = <Of extends { readonly id: string }>(
  data: readonly Of[],
  last: string | null,
  more: boolean,
): Page<Of> => ({ ...listOf(data), first_id: data[0]?.id ?? null, last_id: last, has_more: more })

export const modelObject = (id: ModelId, since_ms: number): Model => ({
  id,
  object: 'model',
  created: Math.floor(since_ms / 1000),
  owned_by: 'wattmill',
})
