/** What upper meters showed, as rows, and what of the meters below reaches into a time. */
import type { Drawn, LevelState } from '../../plant/energy/levels.ts'
import { placeAt } from '../../plant/energy/levels.ts'
import type { Grade, MeterInterval } from '../../plant/energy/meter.ts'
import { all, allBig, one, run } from './query.ts'
import { meterPlaces } from './registry/places.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

export interface UpperRow {
  readonly meter: string
  readonly sequence: bigint
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly energy_mj: bigint
  readonly grade: Grade
  readonly reset: bigint
  readonly closed_ms: bigint | null
  readonly state: LevelState | null
  readonly rest_mj: bigint | null
  readonly owed_before_mj: bigint | null
  readonly booked_mj: bigint | null
  readonly owed_mj: bigint | null
}

/** False: nothing is below that meter, and its interval is one like any other. */
export function insertUpper(store: Store, interval: MeterInterval): boolean {
  const { meter, sequence, from_ms, to_ms, energy, grade, reset } = interval
  if (!placeAt(meterPlaces(store), meter, to_ms)) return false
  run(
    store.database,
    `insert into upper_interval (meter, sequence, from_ms, to_ms, energy_mj, grade, reset)
     values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    meter,
    sequence,
    from_ms,
    to_ms,
    energy,
    grade,
    reset ? 1 : 0,
  )
  return true
}

/** Meters that something was ever below. */
export const upperMeters = ({ database }: Reader): Set<string> =>
  new Set(all<{ meter: string }>(database, 'select distinct meter from meter_place').map(({ meter }) => meter))

/** An interval as far as a meter above must know it; `done_ms`: when its energy was given to those who bear it. */
export interface Reaching extends Drawn {
  readonly done_ms: number | null
}

/** The first that ends with a moment or after it; undefined: the meter has not come so far. */
export function endAfter({ database }: Reader, table: Table, meter: string, at_ms: number): number | undefined {
  const found = `select min(to_ms) as to_ms from ${table} where meter = ? and to_ms >= ?`
  return one<{ to_ms: number | null }>(database, found, meter, at_ms)?.to_ms ?? undefined
}

export type Table = 'meter_interval' | 'upper_interval'

/** Those that reach into [from, to), in order of time. */
export function reachingInto(store: Reader, table: Table, meter: string, from_ms: number, to_ms: number): Reaching[] {
  const end_ms = endAfter(store, table, meter, to_ms) ?? to_ms
  const done = table === 'meter_interval' ? 'posted_ms' : 'closed_ms'
  return allBig<Omit<UpperRow, 'closed_ms'> & { readonly done_ms: bigint | null }>(
    store.database,
    `select sequence, from_ms, to_ms, energy_mj, reset, ${done} as done_ms from ${table}
     where meter = ? and to_ms > ? and to_ms <= ? and from_ms < ? order by sequence`,
    meter,
    from_ms,
    end_ms,
    to_ms,
  ).map(
    (row): Reaching => ({
      sequence: Number(row.sequence),
      from_ms: Number(row.from_ms),
      to_ms: Number(row.to_ms),
      energy: row.energy_mj as Drawn['energy'],
      reset: row.reset !== 0n,
      done_ms: row.done_ms === null ? null : Number(row.done_ms),
    }),
  )
}
