/** The sums of `books/pnl-sum.ts` as rows: kept with the hour that they are of, and read as whole days and the hours at their ends. */
import type { Account, LedgerUnit } from '../../../books/account.ts'
import { dayOf } from '../../../books/account.ts'
import type { Findings } from '../../../books/check.ts'
import { borneBy, hour_ms } from '../../../books/cost-hour.ts'
import type { PnlDimension, PnlSum, SourceBorne } from '../../../books/pnl-sum.ts'
import { difference, placeOf, pnlDimensions, pnlSums } from '../../../books/pnl-sum.ts'
import { type Insert, insertMany } from '../insert-many.ts'
import { all, allBig, run, stream } from '../query.ts'
import { rolledOn } from '../rolled.ts'
import type { Store } from '../store.ts'
import { costTransfers } from './cost-transfers.ts'
import { lineFacts } from './lines.ts'

type Reader = Pick<Store, 'database' | 'home'>
type Rows = Pick<Store, 'database'>

const day_h = 24

const sumRows: Insert = {
  table: 'pnl_sum',
  columns: {
    ...{ span_h: 'integer', dimension: 'text', slot: 'integer', source: 'text', name: 'text', measure: 'text' },
    amount: 'integer',
  },
  conflict: `on conflict (span_h, dimension, slot, source, name, measure) do update set
    amount = pnl_sum.amount + excluded.amount`,
}

/** Within the caller's transaction: the hour's sums become these, and its day's with them. */
export function keepPnlSums(store: Store, hour: number, costs: Iterable<SourceBorne>): void {
  add(store, hour, difference(pnlSums(costs, servedIn(store, hour)), sumsOfHour(store, hour)))
}

/** Within the caller's transaction: what an hour bears of one source is so much more. */
export function addPnlCost(store: Rows, hour: number, cost: SourceBorne): void {
  add(store, hour, pnlSums([cost], { factory: new Map(), tenant: new Map(), model: new Map(), site: new Map() }))
}

function add({ database }: Rows, hour: number, sums: readonly PnlSum[]): void {
  const rows = (span_h: number, slot: number) =>
    sums.map(({ dimension, source, name, measure, amount }) => [span_h, dimension, slot, source, name, measure, amount])
  insertMany(database, sumRows, [...rows(1, hour), ...rows(day_h, Math.floor(hour / day_h))])
}

const servedIn = (store: Reader, hour: number) => {
  const of = (by: 'tenant' | 'model' | 'site' | 'hour') =>
    lineFacts(store, by, { from: hour, to: hour + 1, metered: [] }).served
  return {
    factory: new Map([...of('hour').values()].map((sums) => ['', sums] as const)),
    tenant: of('tenant'),
    model: of('model'),
    site: of('site'),
  }
}

const ofSlot =
  'select dimension, source, name, measure, amount from pnl_sum where span_h = ? and dimension = ? and slot = ?'

const sumsOfSlot = ({ database }: Rows, span_h: number, slot: number): PnlSum[] =>
  pnlDimensions.flatMap((dimension) => allBig<PnlSum>(database, ofSlot, span_h, dimension, slot))

const sumsOfHour = (rows: Rows, hour: number): PnlSum[] => sumsOfSlot(rows, 1, hour)

/** One that was closed before there were these sums gets them; true when there may be more. */
export function sumOldHour(store: Store): boolean {
  const [old] = all<{ hour: number }>(
    store.database,
    'select hour from closed_hour where summed = 0 order by hour limit 1',
  )
  if (!old) return false
  store.transaction(() => {
    keepPnlSums(store, old.hour, bookedCosts(store, old.hour))
    run(store.database, 'update closed_hour set summed = 1 where hour = ?', old.hour)
  })
  return true
}

/** As the ledger has it. Of an hour that is rolled up it has the day alone, which is told as of the day's first hour. */
function* bookedCosts({ database }: Rows, hour: number): Generator<SourceBorne> {
  const sources = allBig<{ source: Account; unit: LedgerUnit; rolled: bigint }>(
    database,
    'select source, unit, rolled from cost_hour where hour = ?',
    hour,
  )
  for (const { source, unit, rolled } of sources)
    if (rolled === 0n) yield { source, unit, borne: borneBy(source, costTransfers({ database }, hour, source, unit)) }
  if (hour % day_h !== 0) return
  for (const { unit, from, to, amount } of rolledOn({ database }, dayOf(hour * hour_ms))) {
    if (to.startsWith('cost/')) yield { source: from, unit, borne: new Map([[to, amount]]) }
    else if (from.startsWith('cost/')) yield { source: to, unit, borne: new Map([[from, -amount]]) }
  }
}

export interface SlotSum extends PnlSum {
  /** The first hour of the time that it is of. */
  readonly hour: number
}

/** Hours [from, to) of a dimension: whole days as one, unless every hour is wanted. */
export function* pnlSumsBetween(
  { database }: Rows,
  dimension: PnlDimension,
  from: number,
  to: number,
  hourly = false,
): Generator<SlotSum> {
  for (const { span_h, low, high } of hourly ? [{ span_h: 1, low: from, high: to }] : pieces(from, to))
    for (const { slot, ...sum } of stream<PnlSum & { slot: bigint }>(database, between, span_h, dimension, low, high))
      yield { ...sum, hour: Number(slot) * span_h }
}

const between = `
  select dimension, slot, source, name, measure, amount from pnl_sum
  where span_h = ? and dimension = ? and slot >= ? and slot < ?`

/** Whole days, and the hours at their ends. */
export function pieces(from: number, to: number): { span_h: number; low: number; high: number }[] {
  const [first, end] = [Math.ceil(from / day_h), Math.floor(to / day_h)]
  if (end <= first) return [{ span_h: 1, low: from, high: to }]
  return [
    { span_h: 1, low: from, high: first * day_h },
    { span_h: day_h, low: first, high: end },
    { span_h: 1, low: end * day_h, high: to },
  ]
}

/**
 * Cost and service of hours, and of days, are what their transfers and tallies come to. One that is stale is not yet; of one that is
 * frozen something may have come that it does not have.
 */
export function checkPnlSums(books: Reader, findings: Findings): void {
  const closed = all<{ hour: number; stale: number; frozen: number }>(books.database, hoursOfSums)
  const days = new Map<number, Map<string, PnlSum>>()
  for (const { hour, stale, frozen } of closed) {
    const kept = sumsOfHour(books, hour)
    const day = days.get(Math.floor(hour / day_h)) ?? new Map<string, PnlSum>()
    days.set(Math.floor(hour / day_h), day)
    for (const sum of kept)
      day.set(placeOf(sum), { ...sum, amount: (day.get(placeOf(sum))?.amount ?? 0n) + sum.amount })
    if (stale || frozen) continue
    const [wrong] = difference(pnlSums(bookedCosts(books, hour), servedIn(books, hour)), kept)
    if (wrong) findings.add('hour', String(hour), `${placeOf(wrong)} of its sums differs by ${wrong.amount}`)
  }
  for (const [day, sums] of days) {
    const [wrong] = difference([...sums.values()], sumsOfSlot(books, day_h, day))
    if (wrong)
      findings.add('hour', `day ${day}`, `${placeOf(wrong)} of its hours and its day differ by ${wrong.amount}`)
  }
}

const hoursOfSums = 'select hour, stale, frozen from closed_hour where summed = 1 order by hour'
