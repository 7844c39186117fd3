/** Keeps the sums of `books/tally.ts`, and lets go of those that no page shows any more. */
import type { Transfer } from '../../books/account.ts'
import type { CloseRow } from '../../books/row.ts'
import type { Span, Whose } from '../../books/tally.ts'
import { dimensions, Tallies, whoseOf } from '../../books/tally.ts'
import type { MeterInterval } from '../../plant/energy/meter.ts'
import { insertMany } from './insert-many.ts'
import { one, run } from './query.ts'
import { settledRow } from './settled-row.ts'
import type { Store } from './store.ts'

const rows = {
  table: 'tally',
  columns: {
    span_s: 'integer',
    dimension: 'text',
    start_s: 'integer',
    name: 'text',
    measure: 'text',
    amount: 'integer',
  },
  conflict: `on conflict (span_s, dimension, start_s, name, measure) do update set
    amount = tally.amount + excluded.amount`,
} as const

const keep = ({ database }: Store, tallies: Tallies): void =>
  insertMany(
    database,
    rows,
    [...tallies.all()].map(({ span, dimension, start_s, name, measure, amount }) => [
      span,
      dimension,
      start_s,
      name,
      measure,
      amount,
    ]),
  )

/** What one transaction settled and posted. */
export function tallyBooked(store: Store, settled: readonly CloseRow[], transfers: readonly Transfer[]): void {
  const tallies = new Tallies()
  const known = new Map<string, Whose | undefined>(settled.map((row) => [row.id, whoseOf(row)]))
  const whose = (request: string): Whose | undefined => {
    if (!known.has(request)) known.set(request, whoseIs(store, request))
    return known.get(request)
  }
  for (const row of settled) tallies.settled(row)
  for (const transfer of transfers)
    tallies.posted(transfer, transfer.request === null ? undefined : whose(transfer.request))
  for (const [request, at_ms] of firstMetered(store, transfers)) {
    const row = settledRow(store, request)
    if (row) tallies.metered(row, at_ms)
  }
  keep(store, tallies)
}

/** Requests that got their first energy, and when it was drawn: all that they have is in this transaction. */
function firstMetered({ database }: Store, transfers: readonly Transfer[]): Map<string, number> {
  const posted = new Map<string, { count: number; at_ms: number }>()
  for (const { unit, request, at_ms } of transfers)
    if (unit === 'mJ' && request !== null) posted.set(request, { count: (posted.get(request)?.count ?? 0) + 1, at_ms })
  const all = "select count(*) as n from transfer where request = ? and unit = 'mJ'"
  const first = [...posted].filter(([request, { count }]) => one<{ n: number }>(database, all, request)?.n === count)
  return new Map(first.map(([request, { at_ms }]) => [request, at_ms]))
}

const whoseIs = ({ database }: Store, request: string): Whose | undefined =>
  one<Whose>(database, 'select tenant, application, api_key as key, model, site from request where id = ?', request)

export function tallyDrawn(store: Store, interval: MeterInterval): void {
  const tallies = new Tallies()
  tallies.drawn(interval)
  keep(store, tallies)
}

const day_s = 86_400

/** How long each is kept: twice what a page shows with it. Hours stay. */
const kept_s: ReadonlyMap<Span, number> = new Map([
  [10, 6 * 3600],
  [60, 2 * day_s],
  [600, 16 * day_s],
])

/** At once, so that nobody waits for it: a busy factory makes some hundred in a minute. */
const mostRows = 5000

const prune = `
  delete from tally where (span_s, dimension, start_s, name, measure) in (
    select span_s, dimension, start_s, name, measure from tally
    where span_s = ? and dimension = ? and start_s < ? limit ${mostRows})`

export function pruneTallies(store: Store, now_ms: number): void {
  store.transaction(() => {
    for (const [span, kept] of kept_s)
      for (const dimension of dimensions) run(store.database, prune, span, dimension, Math.floor(now_ms / 1000) - kept)
  })
}
