/** How well meters covered a span of time, from their intervals in the books. */

import type { SliceShare } from '../../books/slices.ts'
import type { LevelState } from '../../plant/energy/levels.ts'
import { type IntervalSums, type MeterQuality, meterQuality } from '../../plant/energy/meter-quality.ts'
import { all, one } from './query.ts'
import type { Store } from './store.ts'
import { type Table, upperMeters } from './upper.ts'

interface SumRow extends IntervalSums {
  readonly energy_mj: number
}

/** An interval that was begun anew is covered by nobody knows how much of its energy: none of its time counts. */
const sumsSince = (table: Table): string => `
  select count(*) as intervals, min(begin_ms) as first_ms, max(to_ms) as last_ms,
    sum(case when reset = 0 and grade <> 'estimated' then to_ms - begin_ms else 0 end) as measured_ms,
    sum(case when reset = 0 and grade = 'estimated' then to_ms - begin_ms else 0 end) as estimated_ms,
    sum(reset) as resets, max(case when reset = 1 then to_ms end) as last_reset_ms,
    max(to_ms - begin_ms) as longest_ms, sum(energy_mj) as energy_mj
  from (
    select to_ms, grade, reset, energy_mj, case when from_ms < ? then ? else from_ms end as begin_ms
    from ${table} where meter = ? and to_ms > ?
  ) as cut`

/** Of what it counted in this time; joules as people read them, the exact ones are the ledger's. */
export function qualitySince(
  { database }: Pick<Store, 'database'>,
  meter: string,
  since_ms: number,
  now_ms: number,
): MeterQuality & { readonly energy_j: number } {
  const table = upperMeters({ database }).has(meter) ? 'upper_interval' : 'meter_interval'
  const sums = one<SumRow>(database, sumsSince(table), since_ms, since_ms, meter, since_ms)
  const read = sums && sums.intervals > 0 ? sums : undefined
  return { ...meterQuality(read, now_ms), energy_j: (read?.energy_mj ?? 0) / 1000 }
}

/** Meters with intervals since then. */
export const metersSince = ({ database }: Pick<Store, 'database'>, since_ms: number): string[] =>
  all<{ meter: string }>(
    database,
    `select distinct meter from meter_interval where to_ms > ?
     union select distinct meter from upper_interval where to_ms > ?`,
    since_ms,
    since_ms,
  ).map(({ meter }) => meter)

/** An interval of which not everything is known. */
export interface MeterFinding {
  readonly meter: string
  readonly sequence: number
  readonly from_ms: number
  readonly to_ms: number
  /**
   * Of an upper meter: `negative rest`, those below showed so much more than it; `below unseen`, one of them missed some of the time; `late`,
   * one of them showed it when the rest was booked already, so that its joules are counted twice. Of a board in MIG slices: `unknown
   * slice`, one was busy of which no engine of ours is known.
   */
  readonly kind: 'reset' | 'unmetered' | 'estimated' | 'negative rest' | 'below unseen' | 'late' | 'unknown slice'
  readonly energy_j: number
  /** What is to be known of it beside. */
  readonly detail?: string
}

/** Estimates of meters that measure: power whose readings were too far apart. A meter that only estimates has no findings by it. */
const doubtful = `
  select i.meter, i.sequence, i.from_ms, i.to_ms, i.reset, i.energy_mj from meter_interval i
  where i.to_ms > ? and (i.reset = 1 or (i.grade = 'estimated' and i.cpu_mj_per_s is null))
    and not exists (select 1 from upper_interval u where u.meter = i.meter and u.sequence = i.sequence)
  order by i.to_ms desc, i.meter limit ?`

const doubtfulAbove = `
  select meter, sequence, from_ms, to_ms, reset, state, rest_mj, energy_mj from upper_interval
  where to_ms > ? and (reset = 1 or state = 'below unseen' or rest_mj < 0)
  order by to_ms desc, meter limit ?`

/** Only where something was unseen can anything come late. */
const lateBelow = `
  select i.meter, i.sequence, i.from_ms, i.to_ms, i.energy_mj from upper_interval u
  join upper_part p on p.meter = u.meter and p.sequence = u.sequence
  join meter_interval i on i.meter = p.below and i.to_ms > u.from_ms and i.from_ms < u.to_ms
    and i.sequence > coalesce(p.last, -1)
  where u.to_ms > ? and u.state = 'below unseen'
  group by i.meter, i.sequence order by i.to_ms desc limit ?`

const strangeSlices = `
  select meter, sequence, from_ms, to_ms, energy_mj, slices from meter_interval
  where to_ms > ? and slices is not null
    and (slices like '%"engine":null%' or (slices like '%"measured"%' and slices like '%"estimated"%'))
  order by to_ms desc, meter limit ?`

type Place = Pick<MeterFinding, 'meter' | 'sequence' | 'from_ms' | 'to_ms'>

const placeOf = ({ meter, sequence, from_ms, to_ms }: Place): Place => ({ meter, sequence, from_ms, to_ms })

/** Newest first. */
export function meterFindings({ database }: Pick<Store, 'database'>, since_ms: number, most: number): MeterFinding[] {
  const below = all<Place & { reset: number; energy_mj: number }>(database, doubtful, since_ms, most).map(
    ({ reset, energy_mj, ...of }): MeterFinding => ({
      ...placeOf(of),
      kind: reset === 0 ? 'estimated' : energy_mj > 0 ? 'reset' : 'unmetered',
      energy_j: energy_mj / 1000,
    }),
  )
  const above = all<AboveRow>(database, doubtfulAbove, since_ms, most).map(({ energy_mj, rest_mj, ...of }) => ({
    ...placeOf(of),
    ...foundAbove(of, energy_mj, rest_mj),
  }))
  const late = all<Place & { energy_mj: number }>(database, lateBelow, since_ms, most).map(
    ({ energy_mj, ...of }): MeterFinding => ({ ...placeOf(of), kind: 'late', energy_j: energy_mj / 1000 }),
  )
  const strange = all<Place & { energy_mj: number; slices: string }>(database, strangeSlices, since_ms, most).map(
    ({ energy_mj, slices, ...of }): MeterFinding => ({
      ...placeOf(of),
      kind: 'unknown slice',
      energy_j: energy_mj / 1000,
      detail: (JSON.parse(slices) as SliceShare[]).flatMap(told).join('; '),
    }),
  )
  return [...below, ...above, ...late, ...strange]
    .sort((a, b) => b.to_ms - a.to_ms || (a.meter < b.meter ? -1 : 1))
    .slice(0, most)
}

interface AboveRow extends Place {
  readonly reset: number
  readonly state: LevelState | null
  readonly rest_mj: number | null
  readonly energy_mj: number
}

function foundAbove(
  { reset }: Pick<AboveRow, 'reset'>,
  energy_mj: number,
  rest_mj: number | null,
): Pick<MeterFinding, 'kind' | 'energy_j'> {
  if (reset === 1) return { kind: energy_mj > 0 ? 'reset' : 'unmetered', energy_j: energy_mj / 1000 }
  return { kind: (rest_mj ?? 0) < 0 ? 'negative rest' : 'below unseen', energy_j: (rest_mj ?? 0) / 1000 }
}

/** Only of slices that were seen busy by their own counter, and are not an engine's that worked. */
function told({ engine, instance, profile, sms, source }: SliceShare, _: number, all: readonly SliceShare[]): string[] {
  if (engine === null)
    return [
      `GPU instance ${instance} (${profile}) was busy, and is no engine’s${sms === null ? ': its SMs are not known' : ''}`,
    ]
  const mixed = source === 'measured' && all.some((one) => one.source === 'estimated')
  return mixed ? [`GPU instance ${instance} of ${engine} was busy without requests of ours`] : []
}
