import type { Transfer } from '../../books/account.ts'
import type { Database } from '../database/database.ts'
import type { Home } from '../files/home.ts'
import { PostgresDatabase } from '../postgres/postgres-database.ts'
import type { StoredTransfer } from './ledger.ts'
import { one } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { asStoreError } from './store-error.ts'
import { nameOf } from './take-over.ts'

/** The books as a reader has them: the writer's own connection, or one that sees a single moment of them. */
export interface Books {
  readonly home: Home
  readonly database: Database
}

/** A reader sorts and adds up what it reads, which a writer never waits for. */
const longest_ms = 600_000

/** A reader of its own, for what takes long: it sees the books as they are now, whatever is written meanwhile. */
export function openBooks(home: Home): Books & { close(): void } {
  if (home.database !== undefined) return openSharedBooks(home, home.database)
  try {
    const database = new SqliteDatabase(home.store, { readOnly: true })
    database.exec('pragma busy_timeout = 2000; begin')
    one(database, 'select count(*) from journal') // the moment is that of the first reading
    return { home, database, close: () => database.close() }
  } catch (cause) {
    throw asStoreError(home.store, cause)
  }
}

function openSharedBooks(home: Home, url: string): Books & { close(): void } {
  try {
    const database = new PostgresDatabase(url, { statement_ms: longest_ms })
    database.exec('begin isolation level repeatable read read only')
    one(database, 'select count(*) from journal')
    return { home, database, close: () => database.close() }
  } catch (cause) {
    throw asStoreError(nameOf(url), cause)
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
