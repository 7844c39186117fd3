import type { Effect, Known, Written } from '../../books/effect.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import { siteOf } from '../../books/row.ts'
import type { Incarnation } from '../../units/ids.ts'
import { insertAside } from './aside.ts'
import { markBooked } from './costs/stale.ts'
import { markExplained } from './counted.ts'
import { allEach, type Insert, insertMany, runEach } from './insert-many.ts'
import { hashOf } from './journal-file.ts'
import { postTransfers } from './ledger.ts'
import { Prices } from './price-of.ts'
import { one, run } from './query.ts'
import { insertWindowWork } from './seen.ts'
import { sumBooked } from './statement-sums.ts'
import { insertFit, insertObservation } from './step-fits.ts'
import type { Store } from './store.ts'
import { tallyBooked } from './tally.ts'
import { markTerms } from './terms/done.ts'

/** Applies what a decision did, within the caller's transaction. Transfers go last and together: few accounts, many rows. */
export function apply(store: Store, effects: readonly Effect[]): void {
  const booked = effects.some((effect) => effect.do === 'settle') ? nextBooking(store) : 0
  for (const effect of effects.filter(notPassing(effects))) applyOne(store, effect)
  insertRequests(
    store,
    effects.filter((effect) => effect.do === 'settle'),
    booked,
  )
  const posted = postTransfers(
    store,
    effects.filter((effect) => effect.do === 'post'),
  )
  const settled = effects.flatMap((effect) => (effect.do === 'settle' ? effect.row : []))
  tallyBooked(store, settled, posted)
  sumBooked(store, settled, posted)
  markBooked(store, settled, posted)
  markTerms(store, settled)
}

/** Whether an effect lasts: what is opened and settled in one transaction is never seen open, and need not be written as such. */
function notPassing(effects: readonly Effect[]): (effect: Effect) => boolean {
  const settled = new Set(effects.flatMap((effect) => (effect.do === 'settle' ? effect.row.id : [])))
  return (effect) => effect.do !== 'open' || !settled.has(effect.row.id)
}

function applyOne(store: Store, effect: Effect): void {
  const { database } = store
  switch (effect.do) {
    case 'open':
      return insertOpen(store, effect.incarnation, effect.row, effect.written)
    case 'forget':
      return void run(database, 'delete from open_request where id = ?', effect.request)
    case 'put_aside':
      return insertAside(store, effect.aside)
    case 'reconciled':
      return void run(database, 'update engine_attempt set reconciled = 1 where id = ?', effect.attempt)
    case 'attributed':
      return void run(
        database,
        'update meter_interval set posted_ms = ?, idle_mj = ?, fit = ?, modelled_mj = ? where meter = ? and sequence = ?',
        effect.posted_ms,
        effect.idle,
        effect.fit,
        effect.modelled_mj,
        effect.meter,
        effect.sequence,
      )
    case 'worked':
      return insertWindowWork(store, effect.meter, effect.sequence, effect.seen)
    case 'sliced':
      return void run(
        database,
        'update meter_interval set slices = ? where meter = ? and sequence = ?',
        JSON.stringify(effect.slices),
        effect.meter,
        effect.sequence,
      )
    case 'rested':
      return void run(database, 'update meter set floor_w = ? where name = ?', effect.floor, effect.meter)
    case 'explained':
      return markExplained(store, effect.engine, effect.to_ms, effect.explained)
    case 'observe':
      return insertObservation(store, effect.observed)
    case 'fit':
      return insertFit(store, effect.fit)
    case 'cursor':
      return void run(
        database,
        'update journal set seq = ?, gap_at = ? where incarnation = ?',
        effect.seq,
        effect.gap_at,
        effect.incarnation,
      )
    case 'settle':
    case 'post':
      return // together, by the caller
  }
}

/** The books as a decision about some requests sees them, within the same transaction. */
export function knownIn({ database }: Store, requests: readonly string[]): Known {
  const prices = new Prices(database)
  const hashes = (sql: string): Map<string, string> => {
    const found = allEach(database, sql, requests) as { id: string; hash: string }[]
    return new Map(found.map(({ id, hash }) => [id, hash]))
  }
  const open = hashes('select id, hash from open_request where id = ?')
  const settled = hashes('select id, hash from request where id = ?')
  return {
    open: (request) => open.get(request),
    settled: (request) => settled.get(request),
    price: (version) => prices.of(version),
    hash: hashOf,
  }
}

const insertOpen = (store: Store, incarnation: Incarnation, row: OpenRow, { body, hash }: Written): void =>
  void run(
    store.database,
    'insert into open_request (id, incarnation, body, hash) values (?, ?, ?, ?)',
    row.id,
    incarnation,
    body,
    hash,
  )

/** Numbers the transactions that settle requests: one after the other, since there is one writer. */
function nextBooking({ database }: Store): number {
  const next =
    "insert into counter (name, value) values ('booked', 1) on conflict (name) do update set value = counter.value + 1"
  run(database, next)
  return one<{ value: number }>(database, "select value from counter where name = 'booked'")?.value ?? 0
}

const requestRows: Insert = {
  table: 'request',
  columns: {
    ...{ id: 'text', tenant: 'text', application: 'text', api_key: 'text', model: 'text', price_version: 'integer' },
    ...{ outcome: 'text', at_ms: 'integer', closed_ms: 'integer', site: 'text', body: 'text', hash: 'text' },
    booked: 'integer',
  },
}

interface Settled {
  readonly row: CloseRow
  readonly written: Written
}

function insertRequests({ database }: Store, settled: readonly Settled[], booked: number): void {
  const rows = settled.map(({ row, written: { body, hash } }) => [
    ...[row.id, row.tenant, row.application, row.key, row.model, row.price_version, row.outcome],
    ...[row.at_ms, row.closed_ms, siteOf(row) ?? null, body, hash, booked],
  ])
  insertMany(database, requestRows, rows)
  runEach(
    database,
    'delete from open_request where id = ?',
    settled.map(({ row }) => row.id),
  )
}
