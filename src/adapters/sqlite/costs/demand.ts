/**
 * Demand charges in the books: the highest interval of each hour is kept with the hour, and what the month's peak costs is posted
 * over its hours. When the peak grows, the differences are posted; no hour is worked out again for it.
 */
import { accounts } from '../../../books/account.ts'
import type { Findings } from '../../../books/check.ts'
import type { CostDeclaration } from '../../../books/cost.ts'
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import type { BillingMonth, DemandTerms, HourPeak, Reading } from '../../../books/demand.ts'
import {
  billingMonth,
  connectionsOf,
  demandByHour,
  demandTerms,
  longestReading_ms,
  peaksOfHour,
} from '../../../books/demand.ts'
import { all, allBig, one, run } from '../query.ts'
import type { Store } from '../store.ts'
import { pueFacts } from '../whole-hours.ts'
import { type HourShare, isUnderRepair, postBeside } from './beside.ts'
import { markStale } from './stale.ts'

type Reader = Pick<Store, 'database'>

const counted = `
  select meter, from_ms, to_ms, energy_mj from meter_interval
  where to_ms > ? and to_ms <= ? and from_ms < ? and to_ms - from_ms <= ${longestReading_ms} order by meter, sequence`

interface CountedRow {
  readonly meter: string
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly energy_mj: bigint
}

/** A reading that began in the hour may end in the next one. */
export function hourPeaks(books: Reader, hour: number, declared: readonly CostDeclaration[]): HourPeak[] {
  if (connectionsOf(declared).length === 0) return []
  const to_ms = (hour + 1) * hour_ms
  const readings = allBig<CountedRow>(books.database, counted, hour * hour_ms, to_ms + longestReading_ms, to_ms).map(
    ({ meter, from_ms, to_ms: end_ms, energy_mj }): Reading => ({
      meter,
      from_ms: Number(from_ms),
      to_ms: Number(end_ms),
      energy_mj,
    }),
  )
  return peaksOfHour(pueFacts(books, declared, hour, hour + 1), hour, readings)
}

/** A reading over the end of an hour is of both: the earlier one may be closed already. */
export function markReading(store: Store, { from_ms, to_ms }: Pick<Reading, 'from_ms' | 'to_ms'>): void {
  const [first, last] = [hourOf(from_ms), hourOf(to_ms - 1)]
  if (first === last || to_ms - from_ms > longestReading_ms) return
  if (one(store.database, "select 1 from cost_declaration where kind = 'demand' limit 1")) markStale(store, first, last)
}

/** Within the transaction that posts the hour. */
export function keepPeaks({ database }: Store, hour: number, peaks: readonly HourPeak[]): void {
  run(database, 'delete from demand_hour where hour = ?', hour)
  for (const { connection, at_ms, interval_min, energy_mj } of peaks)
    run(
      database,
      'insert into demand_hour (hour, connection, at_ms, interval_min, energy_mj) values (?, ?, ?, ?, ?)',
      hour,
      connection,
      at_ms,
      interval_min,
      energy_mj,
    )
}

/** Posts what the month of an hour owes by now and is not posted. It waits while hours of the month are to be worked out again. */
export function postDemand(store: Store, hour: number, declared: readonly CostDeclaration[]): void {
  for (const connection of connectionsOf(declared)) {
    const charged = monthOf(store, connection, hour, declared)
    if (!charged || isUnderRepair(store, charged.month)) continue
    const due = dueBy(charged)
    const way = { source: accounts.demand(connection), to: accounts.overheadCost('demand') }
    for (const share of charged.closed.values()) postBeside(store, way, share, due.get(share.hour) ?? 0n)
  }
}

/** A connection's month as it is in the books. */
export interface ChargedMonth {
  readonly terms: DemandTerms
  readonly month: BillingMonth
  readonly peaks: readonly HourPeak[]
  readonly closed: ReadonlyMap<number, HourShare>
}

const closedIn = `
  select h.hour, h.frozen, coalesce(c.amount, 0) as amount from closed_hour h
  left join cost_hour c on c.hour = h.hour and c.source = ? and c.unit = 'nano-USD'
  where h.hour >= ? and h.hour < ? order by h.hour`

const peaksIn = 'select * from demand_hour where connection = ? and hour >= ? and hour < ? order by hour'

interface PeakRow {
  readonly connection: string
  readonly hour: bigint
  readonly at_ms: bigint
  readonly interval_min: bigint
  readonly energy_mj: bigint
}

export function monthOf(
  { database }: Reader,
  connection: string,
  hour: number,
  declared: readonly CostDeclaration[],
): ChargedMonth | undefined {
  const terms = demandTerms(declared, connection, hour * hour_ms)
  if (!terms) return undefined
  const month = inForceIn(
    billingMonth(hour * hour_ms, terms.offset_min),
    (of) => demandTerms(declared, connection, of * hour_ms) === terms,
  )
  const source = accounts.demand(connection)
  const closed = allBig<{ hour: bigint; frozen: bigint; amount: bigint }>(
    database,
    closedIn,
    source,
    month.from,
    month.to,
  )
  return {
    terms,
    month,
    peaks: allBig<PeakRow>(database, peaksIn, connection, month.from, month.to).map((row) => ({
      connection,
      hour: Number(row.hour),
      at_ms: Number(row.at_ms),
      interval_min: Number(row.interval_min),
      energy_mj: row.energy_mj,
    })),
    closed: new Map(
      closed.map(({ hour: of, amount, frozen }) => [Number(of), { hour: Number(of), amount, frozen: frozen !== 0n }]),
    ),
  }
}

/** A month ends early where another declaration begins: one of another time zone, whose months begin at other hours. */
function inForceIn({ from, to }: BillingMonth, same: (hour: number) => boolean): BillingMonth {
  let [first, end] = [from, to]
  while (!same(first)) first++
  while (!same(end - 1)) end--
  return { from: first, to: end }
}

export function dueBy({ terms, month, peaks, closed }: ChargedMonth): Map<number, bigint> {
  const fixed = new Map([...closed].filter(([, { frozen }]) => frozen).map(([hour, { amount }]) => [hour, amount]))
  return demandByHour(terms, month, peaks, fixed)
}

/** What each hour's peak is by its meters, and what each month owes by its peaks. */
export function checkDemand(books: Reader, findings: Findings, declared: readonly CostDeclaration[]): void {
  checkPeaks(books, findings, declared)
  for (const connection of connectionsOf(declared)) checkMonths(books, findings, connection, declared)
}

interface ClosedRow {
  readonly hour: number
  readonly declared: number
}

const whole = 'select hour, declared from closed_hour where stale = 0 and frozen = 0 order by hour'

function checkPeaks(books: Reader, findings: Findings, declared: readonly CostDeclaration[]): void {
  const kept = Map.groupBy(allBig<PeakRow>(books.database, 'select * from demand_hour'), ({ hour }) => Number(hour))
  const text = (peaks: readonly (HourPeak | PeakRow)[]): string =>
    peaks
      .map(({ connection, at_ms, energy_mj }) => `${connection} ${energy_mj} mJ at ${at_ms}`)
      .sort()
      .join(', ')
  for (const closed of all<ClosedRow>(books.database, whole)) {
    const known = declared.filter(({ version }) => version <= closed.declared)
    const [is, should] = [text(kept.get(closed.hour) ?? []), text(hourPeaks(books, closed.hour, known))]
    if (is !== should)
      findings.add('hour', `${closed.hour}/demand`, `peak ${is || 'none'}, by its meters ${should || 'none'}`)
  }
}

function checkMonths(
  books: Reader,
  findings: Findings,
  connection: string,
  declared: readonly CostDeclaration[],
): void {
  const seen = new Set<number>()
  for (const { hour } of all<ClosedRow>(books.database, whole)) {
    if (seen.has(hour)) continue
    const charged = monthOf(books, connection, hour, declared)
    if (!charged) continue
    for (const of of charged.closed.keys()) seen.add(of)
    if (isUnderRepair(books, charged.month)) continue
    const due = dueBy(charged)
    for (const [of, { amount, frozen }] of charged.closed) {
      const should = due.get(of) ?? 0n
      if (!frozen && amount !== should)
        findings.add('hour', `${of}/${accounts.demand(connection)}`, `cost ${amount}, by the month's peak ${should}`)
    }
  }
}

/** The months of closed hours, for whoever reads them. */
export function chargedMonths(books: Reader, declared: readonly CostDeclaration[]) {
  const hours = all<{ hour: number }>(books.database, 'select hour from closed_hour order by hour')
  return connectionsOf(declared).flatMap((connection) => {
    const seen = new Set<number>()
    return hours.flatMap(({ hour }) => {
      if (seen.has(hour)) return []
      const charged = monthOf(books, connection, hour, declared)
      for (const of of charged?.closed.keys() ?? []) seen.add(of)
      return charged ? [{ connection, ...charged }] : []
    })
  })
}
