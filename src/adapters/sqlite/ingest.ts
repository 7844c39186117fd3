import { post } from '../../books/post.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import type { Incarnation } from '../../units/ids.ts'
import { gatewayOf } from '../../units/ids.ts'
import type { JournalRow } from './journal-reader.ts'
import { postTransfers, quarantine } from './ledger.ts'
import { Prices } from './price-of.ts'
import { one, run } from './query.ts'
import type { Store } from './store.ts'

export interface Ingested {
  /** The last row that is in the books. */
  readonly seq: number
  /** The first row that is missing; reading stops before it until somebody looks. */
  readonly gap_at: number | null
}

/** A gateway's journal is there: its requests are known to be ours, though no row of it may ever be read. */
export const noteJournal = (store: Store, incarnation: Incarnation): void =>
  void run(store.database, 'insert into journal (incarnation, seq) values (?, 0) on conflict do nothing', incarnation)

export interface JournalCursor extends Ingested {
  readonly dead_ms: number | null
}

export const journalCursor = (store: Store, incarnation: Incarnation): JournalCursor =>
  one<JournalCursor>(store.database, 'select seq, gap_at, dead_ms from journal where incarnation = ?', incarnation) ?? {
    seq: 0,
    gap_at: null,
    dead_ms: null,
  }

/**
 * Rows of a journal → the books, exactly once: rows, transfers, balances and cursor in one transaction. Rows that are in
 * already are passed over, whatever was read twice or from the start.
 */
export function ingestJournal(store: Store, incarnation: Incarnation, rows: readonly JournalRow[]): Ingested {
  return store.transaction(() => {
    noteJournal(store, incarnation)
    let { seq, gap_at } = journalCursor(store, incarnation)
    if (gap_at !== null) return { seq, gap_at }
    const prices = new Prices(store.database)
    for (const row of rows) {
      if (row.seq <= seq) continue
      if (row.seq > seq + 1) {
        noteGap(store, incarnation, seq, row.seq)
        return { seq, gap_at: seq + 1 }
      }
      bookRow(store, incarnation, row, prices)
      seq = row.seq
    }
    run(store.database, 'update journal set seq = ? where incarnation = ?', seq, incarnation)
    return { seq, gap_at: null }
  })
}

/** Rows after `seq` are gone though `found` is there: reading this journal stops until somebody has looked. */
export function noteGap(store: Store, incarnation: Incarnation, seq: number, found: number): false {
  const gap_at = seq + 1
  run(store.database, 'update journal set seq = ?, gap_at = ? where incarnation = ?', seq, gap_at, incarnation)
  quarantine(store, incarnation, String(gap_at), 'gap', JSON.stringify({ missing_from: gap_at, next: found }))
  return false
}

function bookRow(store: Store, incarnation: Incarnation, stored: JournalRow, prices: Prices): void {
  const { row, seq, body, hash } = stored
  const put = (reason: string): void => quarantine(store, incarnation, String(seq), reason, body)
  if (!row) return put('unreadable')
  if (gatewayOf(row.id) !== incarnation) return put('not_its_own')
  const fault =
    row.kind === 'open'
      ? bookOpen(store, incarnation, row, body, hash)
      : bookClose(store, incarnation, row, body, hash, prices)
  if (fault) put(fault)
}

type RowFault = 'conflict' | 'unknown_price'

/** An open row that comes after its close row, on a second reading, says nothing new. */
function bookOpen(
  store: Store,
  incarnation: Incarnation,
  row: OpenRow,
  body: string,
  hash: string,
): RowFault | undefined {
  const { database } = store
  if (one(database, 'select id from request where id = ?', row.id)) return undefined
  const added = run(
    database,
    'insert into open_request (id, incarnation, body, hash) values (?, ?, ?, ?) on conflict (id) do nothing',
    row.id,
    incarnation,
    body,
    hash,
  )
  if (added === 1) return undefined
  const known = one<{ hash: string }>(database, 'select hash from open_request where id = ?', row.id)
  return known?.hash === hash ? undefined : 'conflict'
}

/** The one path on which a request is settled, whoever wrote the row: its gateway, or the rule for dead ones. */
export function bookClose(
  store: Store,
  incarnation: Incarnation,
  row: CloseRow,
  body: string,
  hash: string,
  prices: Prices,
): RowFault | undefined {
  const { database } = store
  const priceVersion = row.price_version === null ? undefined : prices.of(row.price_version)
  if (row.price_version !== null && !priceVersion) return 'unknown_price'
  if (!insertRequest(store, row, body, hash)) {
    const known = one<{ hash: string }>(database, 'select hash from request where id = ?', row.id)
    return known?.hash === hash ? undefined : 'conflict'
  }
  run(database, 'delete from open_request where id = ?', row.id)
  postTransfers(store, incarnation, post(row, priceVersion))
  return undefined
}

const insertRequestSql = `
  insert into request (id, tenant, application, api_key, model, price_version, outcome, at_ms, closed_ms, body, hash)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (id) do nothing
  returning id`

const insertRequest = (store: Store, row: CloseRow, body: string, hash: string): boolean =>
  one(
    store.database,
    insertRequestSql,
    row.id,
    row.tenant,
    row.application,
    row.key,
    row.model,
    row.price_version,
    row.outcome,
    row.at_ms,
    row.closed_ms,
    body,
    hash,
  ) !== undefined

/** Its gateway was dead before the last reading, and the last reading found nothing more. */
export const markDead = (store: Store, incarnation: Incarnation, now_ms: number): void =>
  void run(
    store.database,
    'update journal set dead_ms = ? where incarnation = ? and dead_ms is null and gap_at is null',
    now_ms,
    incarnation,
  )
