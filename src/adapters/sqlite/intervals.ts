/** Intervals between two samples of a meter, as rows. */
import type { IdleClaim } from '../../plant/energy/idle.ts'
import type { Grade, InstanceActivity, MeterInterval } from '../../plant/energy/meter.ts'
import { millijoules } from '../../units/amount.ts'
import { run } from './query.ts'
import type { Store } from './store.ts'
import { tallyDrawn } from './tally.ts'
import { insertUpper } from './upper.ts'

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
  readonly cpu_mj_per_s: bigint | null
  readonly instances: string | null
  readonly slices: string | null
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
  ...(row.claims !== null && { claims: JSON.parse(row.claims) as IdleClaim[] }),
  ...(row.instances !== null && { instances: JSON.parse(row.instances) as Record<string, InstanceActivity> }),
  ...(row.cpu_mj_per_s !== null && { cpu_mj_per_s: Number(row.cpu_mj_per_s) }),
})

/** An upper meter's is not booked yet: it is not known what of it is beyond the meters below. */
export function insertInterval(store: Store, interval: MeterInterval): void {
  if (insertUpper(store, interval)) return
  const added = run(
    store.database,
    `insert into meter_interval (meter, sequence, from_ms, to_ms, energy_mj, idle_mj, grade, reset, claims, cpu_mj_per_s, instances)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    interval.meter,
    interval.sequence,
    interval.from_ms,
    interval.to_ms,
    interval.energy,
    interval.idle,
    interval.grade,
    interval.reset ? 1 : 0,
    interval.claims && interval.claims.length > 0 ? JSON.stringify(interval.claims) : null,
    interval.cpu_mj_per_s ?? null,
    interval.instances ? JSON.stringify(interval.instances) : null,
  )
  if (added === 1) tallyDrawn(store, interval)
}
