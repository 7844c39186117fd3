/**
 * Finds the hours whose cost can be posted: those that are over and of whose work nothing is missing any more. An hour of which
 * something was learned after it was closed is worked out again, and the difference is posted.
 */
import type { Account, LedgerUnit } from '../../../books/account.ts'
import { makingKinds } from '../../../books/cost.ts'
import type { BorneHour } from '../../../books/cost-hour.ts'
import { borneBy, hour_ms, hourOf, postHour } from '../../../books/cost-hour.ts'
import { logLate_ms } from '../../../books/orphan.ts'
import type { OpenRow } from '../../../books/row.ts'
import { enginesReadTo } from '../engine-log.ts'
import { journalsReadTo } from '../ingest.ts'
import { postTransfers } from '../ledger.ts'
import { isOfWaited } from '../nodes.ts'
import { all, one, run } from '../query.ts'
import { rolledUp } from '../rolled.ts'
import type { Store } from '../store.ts'
import { borneBeside, isBeside } from './beside.ts'
import { costTransfers } from './cost-transfers.ts'
import { declarationsOf, longestBack_ms } from './declarations.ts'
import { keepPeaks, postDemand } from './demand.ts'
import { keepServed, postMaking } from './making.ts'
import { keepPnlSums } from './pnl-sums.ts'
import { keepWork } from './work-hours.ts'
import { revisionOf, type WorkedHour, workOut } from './work-out.ts'

type Reader = Pick<Store, 'database'>

/** Closes one hour, or corrects one; true when there may be more. */
export function closeHours(store: Store, now_ms: number): boolean {
  const [hour] = dueHours(store, now_ms, 1)
  if (hour === undefined) return false
  store.transaction(() => postWorked(store, workOut(store, hour), now_ms))
  return true
}

/** Hours that can be worked out now, those to be corrected first; none while something of them may be missing. */
export function dueHours(store: Store, now_ms: number, most: number): number[] {
  const known_ms = Math.min(now_ms, readTo(store)) - logLate_ms
  const stale = 'select hour from closed_hour where stale = 1 order by hour limit ?'
  const again = all<{ hour: number }>(store.database, stale, most).map(({ hour }) => hour)
  const due: number[] = []
  for (const hour of again.length > 0 ? again : newHours(store, now_ms, most)) {
    if ((hour + 1) * hour_ms > known_ms || !isSettled(store, (hour + 1) * hour_ms)) break
    due.push(hour)
  }
  return due
}

/** Within a transaction of the caller's: what differs from what is posted is posted. */
export function postWorked(
  store: Store,
  { hour, costs, work, peaks, served, declared, fit }: WorkedHour,
  now_ms: number,
): void {
  const before = revisionOf(store, hour)
  const revision = before + 1
  for (const cost of [...costs, ...goneFrom(store, hour, costs)]) {
    const { source, unit, amount, busy_s, all_s } = cost
    const borne = borneBy(source, costTransfers(store, hour, source, unit))
    postTransfers(store, [{ source: `hour/${hour}`, transfers: postHour(cost, borne, revision) }])
    run(store.database, keepCost, hour, source, unit, amount, busy_s, all_s)
  }
  run(store.database, keepHour, hour, revision, declared, fit, now_ms)
  keepWork(store, hour, work)
  keepPeaks(store, hour, peaks)
  keepServed(store, hour, served)
  const known = declarationsOf(store, ['demand', ...makingKinds])
  postDemand(store, hour, known)
  postMaking(store, hour, before > 0, known)
  keepPnlSums(store, hour, [...costs, ...borneBeside(store, hour)])
}

const keepCost = `
  insert into cost_hour (hour, source, unit, amount, busy_s, all_s) values (?, ?, ?, ?, ?, ?)
  on conflict (hour, source, unit) do update set
    amount = excluded.amount, busy_s = excluded.busy_s, all_s = excluded.all_s`

const keepHour = `
  insert into closed_hour (hour, revision, declared, fit, closed_ms, worked, summed) values (?, ?, ?, ?, ?, 1, 1)
  on conflict (hour) do update set revision = excluded.revision, declared = excluded.declared, fit = excluded.fit,
    closed_ms = excluded.closed_ms, stale = 0, worked = 1, summed = 1`

/** What cost something when the hour was closed first, and by what is known now costs nothing. What is posted beside the hour is not among it. */
function goneFrom({ database }: Reader, hour: number, costs: readonly BorneHour[]): BorneHour[] {
  const is = new Set(costs.map(({ source, unit }) => `${unit} ${source}`))
  return all<{ source: Account; unit: LedgerUnit }>(
    database,
    `select source, unit from cost_hour where hour = ? and amount > 0 and not ${isBeside}`,
    hour,
  )
    .filter(({ source, unit }) => !is.has(`${unit} ${source}`))
    .map(({ source, unit }) => ({ source, unit, hour, amount: 0n, borne: new Map(), busy_s: 0, all_s: 0 }))
}

const readTo = (store: Store): number => Math.min(journalsReadTo(store), enginesReadTo(store))

/** Whether all that began before a moment is settled, reconciled and attributed; what lies in a home that is given up will not be. */
function isSettled({ database }: Reader, before_ms: number): boolean {
  const open = [
    'select 1 from meter_interval where posted_ms is null and from_ms < ? limit 1',
    'select 1 from upper_interval where closed_ms is null and from_ms < ? limit 1',
    'select 1 from engine_attempt where reconciled = 0 and bearer is null and last_ms < ? limit 1',
  ]
  if (open.some((sql) => one(database, sql, before_ms) !== undefined)) return false
  const rows = all<{ body: string }>(
    database,
    `select body from open_request where ${isOfWaited('open_request.incarnation')}`,
  )
  return rows.every(({ body }) => (JSON.parse(body) as OpenRow).at_ms >= before_ms)
}

const begun = `
  select min(at_ms) as at from (
    select min(from_ms) as at_ms from cost_declaration union all select min(from_ms) as at_ms from engine_cost) as both_kinds`

/** Hours are closed without a hole: from the first cost on, and back to it where a later entry begins earlier. */
const nextHour = (store: Reader, now_ms: number): number | undefined => newHours(store, now_ms, 1)[0]

/** The next of them, in the order in which they are closed. */
function newHours(store: Reader, now_ms: number, most: number): number[] {
  const at = one<{ at: number | null }>(store.database, begun)?.at ?? undefined
  if (at === undefined) return []
  const first = hourOf(Math.max(at, now_ms - longestBack_ms, rolledUp(store).until_ms ?? 0))
  const closed = one<{ low: number | null; high: number | null }>(
    store.database,
    'select min(hour) as low, max(hour) as high from closed_hour',
  )
  const onFrom = (hour: number): number[] => Array.from({ length: most }, (_, later) => hour + later)
  if (closed?.low == null || closed.high === null) return onFrom(first)
  const { low, high } = closed
  if (first >= low) return onFrom(high + 1)
  return Array.from({ length: Math.min(most, low - first) }, (_, back) => low - 1 - back)
}

/** Nothing from this moment on may be rolled up: its hour is not closed, or is to be worked out again. */
export function oldestUncosted(store: Reader): number {
  const next = nextHour(store, 0)
  const stale = one<{ hour: number | null }>(
    store.database,
    'select min(hour) as hour from closed_hour where stale = 1',
  )
  return Math.min(next ?? Number.POSITIVE_INFINITY, stale?.hour ?? Number.POSITIVE_INFINITY) * hour_ms
}
