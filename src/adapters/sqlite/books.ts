import type { Transfer } from '../../books/account.ts'
import type { Home } from '../files/home.ts'
import type { Database } from './database.ts'
import type { StoredTransfer } from './ledger.ts'
import { one } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { asStoreError } from './store.ts'

/** The books as a reader has them: the writer's own connection, or one that sees a single moment of them. */
export interface Books {
  readonly home: Home
  readonly database: Database
}

/** A reader of its own, for what takes long: it sees the books as they are now, whatever is written meanwhile. */
export function openBooks(home: Home): Books & { close(): void } {
  try {
    const database = new SqliteDatabase(home.store, { readOnly: true })
    database.exec('pragma busy_timeout = 2000; begin')
    one(database, 'select count(*) from journal') // the moment is that of the first reading
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
