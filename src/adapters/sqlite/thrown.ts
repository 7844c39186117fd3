import type { Home } from '../files/home.ts'
import { StoreError, type StoreFault } from './store-error.ts'
import { nameOf } from './take-over.ts'

/** An error loses its class on the way out of its thread, and keeps its fields. */
export function asThrown(cause: unknown, home: Home): unknown {
  const { fault } = cause as { readonly fault?: StoreFault }
  return fault ? new StoreError(fault, home.database === undefined ? home.store : nameOf(home.database)) : cause
}
