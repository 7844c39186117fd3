/** Finds the meter intervals that `books/energy.ts` can attribute, and who worked in them. */
import type { Seen } from '../../books/energy.ts'
import { closeInterval, firstSecond } from '../../books/energy.ts'
import { logLate_ms } from '../../books/orphan.ts'
import type { CloseRow } from '../../books/row.ts'
import type { IdleClaim } from '../../plant/energy/idle.ts'
import type { Grade, MeterInterval } from '../../plant/energy/meter.ts'
import type { StepWork } from '../../plant/energy/step-energy.ts'
import { millijoules } from '../../units/amount.ts'
import type { AttemptId, ReplicaId } from '../../units/ids.ts'
import { apply } from './apply.ts'
import { enginesReadTo } from './engine-log.ts'
import { all, allBig, one, run } from './query.ts'
import { refitSteps } from './refit.ts'
import { fitsIn } from './step-fits.ts'
import type { Store } from './store.ts'
import { tallyDrawn } from './tally.ts'

const batch = 500

export interface IntervalRow {
  readonly meter: string
  readonly sequence: bigint
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly energy_mj: bigint
  readonly idle_mj: bigint
  readonly grade: Grade
  readonly reset: bigint
  readonly posted_ms: bigint | null
  readonly fit: bigint | null
  readonly modelled_mj: bigint | null
  readonly claims: string | null
}

export const intervalOf = (row: IntervalRow): MeterInterval => ({
  meter: row.meter,
  sequence: Number(row.sequence),
  from_ms: Number(row.from_ms),
  to_ms: Number(row.to_ms),
  energy: millijoules(row.energy_mj),
  idle: millijoules(row.idle_mj),
  grade: row.grade,
  reset: row.reset !== 0n,
  ...(row.claims === null ? {} : { claims: JSON.parse(row.claims) as IdleClaim[] }),
})

export function insertInterval(store: Store, interval: MeterInterval): void {
  const added = run(
    store.database,
    `insert into meter_interval (meter, sequence, from_ms, to_ms, energy_mj, idle_mj, grade, reset, claims)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    interval.meter,
    interval.sequence,
    interval.from_ms,
    interval.to_ms,
    interval.energy,
    interval.idle,
    interval.grade,
    interval.reset ? 1 : 0,
    interval.claims && interval.claims.length > 0 ? JSON.stringify(interval.claims) : null,
  )
  if (added === 1) tallyDrawn(store, interval)
}

/** Intervals that no unsettled attempt worked in; the seconds of an interval as `firstSecond` says. */
const ready = `
  select i.* from meter_interval i
  where i.posted_ms is null and i.to_ms + ? <= ?
    and not exists (
      select 1 from engine_second s left join engine_attempt a on a.id = s.attempt
      where s.second >= (i.from_ms + 499) / 1000 and s.second < (i.to_ms + 499) / 1000
        and coalesce(a.reconciled, 0) = 0
    )
  order by i.to_ms, i.meter limit ${batch}`

/** True when there may be more. */
export function closeIntervals(store: Store, now_ms: number): boolean {
  return store.transaction(() => {
    const read = Math.min(enginesReadTo(store), now_ms)
    const rows = allBig<IntervalRow>(store.database, ready, logLate_ms, read)
    const fits = fitsIn(store)
    for (const row of rows) {
      const interval = intervalOf(row)
      apply(store, closeInterval(interval, seenIn(store, interval), fits, now_ms))
    }
    if (rows.length > 0) refitSteps(store, now_ms)
    return rows.length === batch
  })
}

const seenInSeconds = `
  select s.attempt, a.replica, a.model, sum(s.tokens) as tokens, sum(s.step_e9) as step_e9, sum(s.prefill) as prefill,
    sum(s.prefill_context) as prefill_context, sum(s.decode) as decode, sum(s.kv_read) as kv_read, r.body
  from engine_second s
  join engine_attempt a on a.id = s.attempt
  left join request r on r.id = a.request
  where s.second >= ? and s.second < ?
  group by s.attempt order by s.attempt`

/** A meter that engines elsewhere were given to measure them does not see what this machine works. */
const measuresOthers = ({ database }: Pick<Store, 'database'>, meter: string): boolean =>
  one(database, 'select 1 from engine_meter where meter = ? limit 1', meter) !== undefined

interface SeenRow extends StepWork {
  readonly attempt: AttemptId
  readonly replica: ReplicaId
  readonly model: string
  readonly tokens: number
  readonly body: string | null
}

export function seenIn(store: Pick<Store, 'database'>, { meter, from_ms, to_ms }: MeterInterval): Seen[] {
  if (measuresOthers(store, meter)) return []
  const rows = all<SeenRow>(store.database, seenInSeconds, firstSecond(from_ms), firstSecond(to_ms))
  return rows.map(({ attempt, replica, model, tokens, body, ...did }) => ({
    attempt,
    replica,
    model,
    tokens,
    did,
    row: body === null ? undefined : (JSON.parse(body) as CloseRow),
  }))
}
