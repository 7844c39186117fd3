import type { Home } from '../files/home.ts'
import { listEngines, listLogFiles, unreadBytes } from './engine-files.ts'
import { engineCursor } from './engine-log.ts'
import { journalCursor } from './ingest.ts'
import { lastOf, listJournals, readJournal } from './journal-reader.ts'
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
  /** Age of the oldest row or log line that the books do not have; s. */
  readonly behind_s: number
  /** The same of energy: since the end of the oldest interval that is not attributed. */
  readonly energy_behind_s: number
}

export function lagOf(store: Store, home: Home, now_ms: number): Lag {
  const known = storeLag(store)
  const oldest = Math.min(oldestRow(store, home), oldestLine(store, home))
  return {
    ...known,
    ...fileLag(store, home),
    behind_s: secondsSince(oldest, now_ms),
    energy_behind_s: secondsSince(known.oldest_open_interval_ms ?? Number.POSITIVE_INFINITY, now_ms),
  }
}

const secondsSince = (at_ms: number, now_ms: number): number =>
  at_ms === Number.POSITIVE_INFINITY ? 0 : Math.max(0, Math.round((now_ms - at_ms) / 100) / 10)

/** When the oldest row was journaled that is not in the books; infinity when all are. */
const oldestRow = (store: Store, { journals }: Home): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...listJournals(journals).flatMap((name) => {
      const [next] = readJournal(journals, name, journalCursor(store, name).seq, 1)
      return next?.row ? [next.row.kind === 'open' ? next.row.at_ms : next.row.closed_ms] : []
    }),
  )

/** Up to when logs are read of which there is more to read. A log that was never read begins with its engine. */
const oldestLine = (store: Store, { engineLogs }: Home): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...listEngines(engineLogs).flatMap((name) => {
      const cursor = engineCursor(store, name)
      if (cursor.dead || unreadBytes(engineLogs, name, cursor) === 0) return []
      return [
        cursor.read_to_ms || (listLogFiles(engineLogs).find((file) => file.incarnation === name)?.written_ms ?? 0),
      ]
    }),
  )

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
