import { DatabaseSync } from 'node:sqlite'
import type { Transfer } from '../../books/account.ts'
import type { Home } from '../files/home.ts'
import type { StoredTransfer } from './ledger.ts'
import { asStoreError } from './store.ts'

/** The books as a reader has them: the writer's own connection, or one that sees a single moment of them. */
export interface Books {
  readonly home: Home
  readonly database: DatabaseSync
}

/** A reader of its own, for what takes long: it sees the books as they are now, whatever is written meanwhile. */
export function openBooks(home: Home): Books & { close(): void } {
  try {
    const database = new DatabaseSync(home.store, { readOnly: true })
    database.exec('pragma busy_timeout = 2000; begin')
    database.prepare('select count(*) from journal').get() // the moment is that of the first reading
    return { home, database, close: () => database.close() }
  } catch (cause) {
    throw asStoreError(home.store, cause)
  }
}

export const transferOf = (stored: StoredTransfer): Transfer => ({
  id: stored.id,
  unit: stored.unit,
  from: stored.debit,
  to: stored.credit,
  amount: stored.amount,
  request: stored.request,
  at_ms: Number(stored.at_ms),
})
