import type { JsonObject } from '../../../units/json.ts'
import type { WireResponse } from './wire.ts'

/** What is kept of a response: itself, and the items that were sent for it. */
export interface Kept {
  readonly response: WireResponse
  readonly input: readonly JsonObject[]
}

const prefixes: Readonly<Record<string, string>> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  reasoning: 'rs',
}

/** Items as they are kept: each has an id, by which a later request can refer to it. */
export const withIds = (items: readonly JsonObject[], key: string): JsonObject[] =>
  items.map((item, index) => ({
    ...item,
    id: typeof item.id === 'string' && item.id !== '' ? item.id : `${prefixes[String(item.type)]}_${key}_i${index}`,
    ...(item.type === 'message' && { status: item.status ?? 'completed' }),
  }))

export interface ItemPage {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly after: string | undefined
}

/** One page of the items that were sent; the newest first unless asked otherwise, as OpenAI lists them. */
export function pageOf({ input }: Kept, { limit, order, after }: ItemPage): JsonObject {
  const all = order === 'asc' ? input : input.toReversed()
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
  const data = all.slice(from, from + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < all.length,
  }
}
