/** How well meters covered a span of time, from their intervals in the books. */

import type { Grade } from '../../plant/energy/meter.ts'
import { type IntervalSums, type MeterQuality, meterQuality } from '../../plant/energy/meter-quality.ts'
import { all, one } from './query.ts'
import type { Store } from './store.ts'

interface SumRow extends IntervalSums {
  readonly energy_mj: number
}

/** An interval that was begun anew is covered by nobody knows how much of its energy: none of its time counts. */
const sumsSince = `
  select count(*) as intervals, min(begin_ms) as first_ms, max(to_ms) as last_ms,
    sum(case when reset = 0 and grade <> 'estimated' then to_ms - begin_ms else 0 end) as measured_ms,
    sum(case when reset = 0 and grade = 'estimated' then to_ms - begin_ms else 0 end) as estimated_ms,
    sum(reset) as resets, max(case when reset = 1 then to_ms end) as last_reset_ms,
    max(to_ms - begin_ms) as longest_ms, sum(energy_mj) as energy_mj
  from (
    select to_ms, grade, reset, energy_mj, case when from_ms < ? then ? else from_ms end as begin_ms
    from meter_interval where meter = ? and to_ms > ?
  ) as cut`

/** Of what it counted in this time; joules as people read them, the exact ones are the ledger's. */
export function qualitySince(
  { database }: Pick<Store, 'database'>,
  meter: string,
  since_ms: number,
  now_ms: number,
): MeterQuality & { readonly energy_j: number } {
  const sums = one<SumRow>(database, sumsSince, since_ms, since_ms, meter, since_ms)
  const read = sums && sums.intervals > 0 ? sums : undefined
  return { ...meterQuality(read, now_ms), energy_j: (read?.energy_mj ?? 0) / 1000 }
}

/** Meters with intervals since then. */
export const metersSince = ({ database }: Pick<Store, 'database'>, since_ms: number): string[] =>
  all<{ meter: string }>(database, 'select distinct meter from meter_interval where to_ms > ?', since_ms).map(
    ({ meter }) => meter,
  )

/** An interval of which not everything is known. */
export interface MeterFinding {
  readonly meter: string
  readonly sequence: number
  readonly from_ms: number
  readonly to_ms: number
  readonly kind: 'reset' | 'unmetered' | 'estimated'
  readonly energy_j: number
}

/** Estimates of meters that measure: power whose readings were too far apart. A meter that only estimates has no findings by it. */
const doubtful = `
  select i.meter, i.sequence, i.from_ms, i.to_ms, i.reset, i.energy_mj from meter_interval i
  where i.to_ms > ? and (i.reset = 1 or (i.grade = 'estimated' and i.cpu_mj_per_s is null))
  order by i.to_ms desc, i.meter limit ?`

/** Newest first. */
export const meterFindings = ({ database }: Pick<Store, 'database'>, since_ms: number, most: number): MeterFinding[] =>
  all<Omit<MeterFinding, 'kind' | 'energy_j'> & { reset: number; energy_mj: number; grade: Grade }>(
    database,
    doubtful,
    since_ms,
    most,
  ).map(({ reset, energy_mj, ...of }) => ({
    meter: of.meter,
    sequence: of.sequence,
    from_ms: of.from_ms,
    to_ms: of.to_ms,
    kind: reset === 0 ? 'estimated' : energy_mj > 0 ? 'reset' : 'unmetered',
    energy_j: energy_mj / 1000,
  }))
