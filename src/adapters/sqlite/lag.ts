import type { Home } from '../files/home.ts'
import { listEngines, unreadBytes } from './engine-files.ts'
import { engineCursor } from './engine-log.ts'
import { journalCursor } from './ingest.ts'
import { lastOf, listJournals } from './journal-reader.ts'
import { count } from './ledger.ts'
import { one } from './query.ts'
import type { Store } from './store.ts'

/** How far the books are behind the world. */
export interface Lag {
  /** Rows that gateways journaled and the books do not have. */
  readonly journal_rows: number
  readonly engine_log_bytes: number
  readonly open_requests: number
  readonly unreconciled_attempts: number
  readonly open_intervals: number
  /** When the oldest interval that is not attributed ended; null: none waits. */
  readonly oldest_open_interval_ms: number | null
}

export function lagOf(store: Store, home: Home): Lag {
  return { ...storeLag(store), ...fileLag(store, home) }
}

export type StoreLag = Pick<
  Lag,
  'open_requests' | 'unreconciled_attempts' | 'open_intervals' | 'oldest_open_interval_ms'
>

/** What the store knows by itself. */
export function storeLag({ database }: Pick<Store, 'database'>): StoreLag {
  const intervals = one<{ n: number; oldest: number | null }>(
    database,
    'select count(*) as n, min(to_ms) as oldest from meter_interval where posted_ms is null',
  )
  return {
    open_requests: count(database, 'select count(*) as n from open_request'),
    unreconciled_attempts: count(database, 'select count(*) as n from engine_attempt where reconciled = 0'),
    open_intervals: intervals?.n ?? 0,
    oldest_open_interval_ms: intervals?.oldest ?? null,
  }
}

function fileLag(store: Store, home: Home): Pick<Lag, 'journal_rows' | 'engine_log_bytes'> {
  const sum = (parts: number[]): number => parts.reduce((a, b) => a + b, 0)
  return {
    journal_rows: sum(
      listJournals(home.journals).map((name) =>
        Math.max(0, lastOf(home.journals, name) - journalCursor(store, name).seq),
      ),
    ),
    engine_log_bytes: sum(
      listEngines(home.engineLogs).map((name) => {
        const cursor = engineCursor(store, name)
        return cursor.dead ? 0 : unreadBytes(home.engineLogs, name, cursor)
      }),
    ),
  }
}
