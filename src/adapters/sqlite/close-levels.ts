/** Books the rests of upper meters, once all that is below is known or is not waited for any more. */
import { hourOf } from '../../books/cost-hour.ts'
import { shareRest } from '../../books/level.ts'
import type { LevelInterval, MeterPlace } from '../../plant/energy/levels.ts'
import { levelInterval, placeAt } from '../../plant/energy/levels.ts'
import { millijoules } from '../../units/amount.ts'
import { apply } from './apply.ts'
import { markReading } from './costs/demand.ts'
import { markStale } from './costs/stale.ts'
import { bearersBelow, intervalsBelow, tableOf } from './level-below.ts'
import { allBig, one, run } from './query.ts'
import { meterPlaces } from './registry/places.ts'
import type { Store } from './store.ts'
import { tallyDrawn } from './tally.ts'
import { endAfter, type Reaching, type UpperRow, upperMeters } from './upper.ts'

/** Of each meter in one turn. */
const batch = 200

/** A meter below that is silent is waited for so long, or three of its usual intervals: then its time is told to be unseen. */
const [patience_ms, patiencePeriods] = [600_000, 3]

/** True when there may be more. */
export function closeLevels(store: Store, now_ms: number): boolean {
  const places = meterPlaces(store)
  if (places.length === 0) return false
  return store.transaction(() => {
    // Those below first: what a facility's meter is compared with must be closed.
    const meters = [...upperMeters(store)].sort((a, b) => depth(places, a, now_ms) - depth(places, b, now_ms))
    return meters.map((meter) => closeMeter(store, places, meter, now_ms)).some((closed) => closed === batch)
  })
}

const depth = (places: readonly MeterPlace[], meter: string, at_ms: number): number =>
  Math.max(0, ...(placeAt(places, meter, at_ms)?.below ?? []).map((below) => 1 + depth(places, below, at_ms)))

/** In order, since what one owes the next one pays. */
function closeMeter(store: Store, places: readonly MeterPlace[], meter: string, now_ms: number): number {
  const open = 'select * from upper_interval where meter = ? and closed_ms is null order by sequence limit ?'
  let closed = 0
  for (const row of allBig<UpperRow>(store.database, open, meter, batch)) {
    const span = { from_ms: Number(row.from_ms), to_ms: Number(row.to_ms) }
    const place = placeAt(places, meter, span.to_ms)
    const below = intervalsBelow(store, places, place?.below ?? [], span)
    if (![...below].every(([name, its]) => isKnown(store, places, { name, its }, span.to_ms, now_ms))) break
    const owed_mj = owedBefore(store, row)
    const level = levelInterval(drawnOf(row), below, owed_mj)
    close(store, row, { level, place, places, owed_mj, now_ms })
    closed++
  }
  return closed
}

export const drawnOf = ({ sequence, from_ms, to_ms, energy_mj, reset }: UpperRow) => ({
  sequence: Number(sequence),
  from_ms: Number(from_ms),
  to_ms: Number(to_ms),
  energy: millijoules(energy_mj),
  reset: reset !== 0n,
})

/** Nothing of its time is missing, or nobody waits for it any more; and what there is has been given to those who bear it. */
function isKnown(
  store: Store,
  places: readonly MeterPlace[],
  { name, its }: { readonly name: string; readonly its: readonly Reaching[] },
  to_ms: number,
  now_ms: number,
): boolean {
  if (its.some(({ done_ms }) => done_ms === null)) return false
  const table = tableOf(places, name, to_ms)
  if (endAfter(store, table, name, to_ms) !== undefined) return true
  const last = `select to_ms - from_ms as long_ms from ${table} where meter = ? order by sequence desc limit 1`
  const usual_ms = one<{ long_ms: number }>(store.database, last, name)?.long_ms ?? 0
  return now_ms - to_ms > Math.max(patience_ms, patiencePeriods * usual_ms)
}

/** Of the interval before it, in the same hour. */
function owedBefore({ database }: Store, { meter, sequence, to_ms }: UpperRow): bigint {
  const before =
    'select to_ms, owed_mj from upper_interval where meter = ? and sequence < ? order by sequence desc limit 1'
  const [row] = allBig<Pick<UpperRow, 'to_ms' | 'owed_mj'>>(database, before, meter, sequence)
  return row && hourOf(Number(row.to_ms) - 1) === hourOf(Number(to_ms) - 1) ? (row.owed_mj ?? 0n) : 0n
}

interface Closing {
  readonly level: LevelInterval
  readonly place: MeterPlace | undefined
  readonly places: readonly MeterPlace[]
  readonly owed_mj: bigint
  readonly now_ms: number
}

/** What is booked of it is from now on an interval like any other: it is summed, costed, rolled up and audited as such. */
function close(store: Store, row: UpperRow, { level, place, places, owed_mj, now_ms }: Closing): void {
  const { meter, grade } = row
  const { sequence, from_ms, to_ms, reset } = drawnOf(row)
  const { state, booked_mj, below } = level
  const interval = {
    ...{ meter, sequence, from_ms, to_ms, grade, reset },
    energy: millijoules(booked_mj),
    idle: millijoules(0n),
  }
  run(store.database, keepClosed, now_ms, state, level.rest_mj, owed_mj, booked_mj, level.owed_mj, meter, sequence)
  for (const part of below)
    run(store.database, keepPart, meter, sequence, part.meter, part.first, part.last, part.energy_mj)
  run(store.database, keepInterval, meter, sequence, from_ms, to_ms, booked_mj, grade, reset ? 1 : 0, now_ms)
  sumHour(store, row, level)
  tallyDrawn(store, interval)
  const shared = place && place.rule !== 'overhead' && state === 'whole' && booked_mj > 0n
  const borne = shared ? bearersBelow(store, places, below, { from_ms, to_ms, until_ms: now_ms }) : []
  const terms = place ?? ({ level: 'host', rule: 'overhead' } as const)
  const transfers = shareRest({ meter, sequence, to_ms, state, booked_mj }, terms, borne)
  apply(store, [{ do: 'post', source: meter, transfers }])
  markReading(store, { from_ms, to_ms })
  markStale(store, hourOf(to_ms - 1), hourOf(to_ms - 1)) // the measured PUE of its hour is another one
}

const keepClosed = `
  update upper_interval set closed_ms = ?, state = ?, rest_mj = ?, owed_before_mj = ?, booked_mj = ?, owed_mj = ?
  where meter = ? and sequence = ?`

const keepPart = `
  insert into upper_part (meter, sequence, below, first, last, energy_mj) values (?, ?, ?, ?, ?, ?)`

const keepInterval = `
  insert into meter_interval (meter, sequence, from_ms, to_ms, energy_mj, idle_mj, grade, reset, posted_ms)
  values (?, ?, ?, ?, ?, 0, ?, ?, ?)`

const addToHour = `
  insert into upper_hour (meter, hour, intervals, energy_mj, below_mj, booked_mj, owed_mj, unseen_mj, negative, whole_ms,
    whole_mj, whole_below_mj)
  values (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (meter, hour) do update set intervals = upper_hour.intervals + 1,
    energy_mj = upper_hour.energy_mj + excluded.energy_mj, below_mj = upper_hour.below_mj + excluded.below_mj,
    booked_mj = upper_hour.booked_mj + excluded.booked_mj, owed_mj = excluded.owed_mj,
    unseen_mj = upper_hour.unseen_mj + excluded.unseen_mj, negative = upper_hour.negative + excluded.negative,
    whole_ms = upper_hour.whole_ms + excluded.whole_ms, whole_mj = upper_hour.whole_mj + excluded.whole_mj,
    whole_below_mj = upper_hour.whole_below_mj + excluded.whole_below_mj`

function sumHour(store: Store, { meter, from_ms, to_ms, energy_mj }: UpperRow, level: LevelInterval): void {
  const { state, rest_mj, booked_mj, owed_mj } = level
  const seen_mj = rest_mj === null ? 0n : energy_mj
  const below_mj = seen_mj - (rest_mj ?? 0n)
  const whole = state === 'whole'
  run(
    store.database,
    addToHour,
    meter,
    hourOf(Number(to_ms) - 1),
    seen_mj,
    below_mj,
    booked_mj,
    owed_mj,
    state === 'below unseen' ? booked_mj : 0n,
    rest_mj !== null && rest_mj < 0n ? 1 : 0,
    whole ? Number(to_ms - from_ms) : 0,
    whole ? seen_mj : 0n,
    whole ? below_mj : 0n,
  )
}
