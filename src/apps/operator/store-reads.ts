import { faultOf, StoreError } from '../../adapters/sqlite/store-error.ts'
import type { Factory } from './factory.ts'

/** Whether the store is to blame, or the way to it. */
export const isOfStore = (cause: unknown): boolean => cause instanceof StoreError || faultOf(cause) !== undefined

/**
 * Reads of the store for an answer that is given without it too: what it does not say is null, and after that it is asked nothing
 * more, since each question to a database that hangs takes seconds.
 */
export function storeReads({ live }: Pick<Factory, 'live'>): <T>(read: () => T) => T | null {
  let away = live?.keeper.backlog()?.fault === 'unreachable'
  return (read) => {
    if (away) return null
    try {
      return read()
    } catch (cause) {
      if (!live || !isOfStore(cause)) throw cause
      away = true
      return null
    }
  }
}
