/**
 * Meters above meters: board ⊂ host ⊂ facility. What an upper meter shows beyond those directly below it is its *rest*:
 *
 *     Σ below + rest = upper     for every interval of the upper meter, in whole millijoules
 *
 * The meters below have intervals of their own. One that reaches over an edge of the upper one's gives it the part that is inside,
 * as if its power had been even; cut so, the parts of an interval add up to it.
 */
import type { MeterInterval } from './meter.ts'

export const meterLevels = ['host', 'facility'] as const
export type MeterLevel = (typeof meterLevels)[number]

/** How a rest is shared: as the energy below, in equal parts by chip, or not at all: it is overhead. */
export const restRules = ['energy', 'chips', 'overhead'] as const
export type RestRule = (typeof restRules)[number]

/** Where a meter stands, as somebody declared it. Never changed: another place is a later entry. */
export interface MeterPlace {
  readonly meter: string
  readonly level: MeterLevel
  readonly rule: RestRule
  /** The meters directly below it, in the order of their names. */
  readonly below: readonly string[]
  readonly from_ms: number
  readonly until_ms: number | null
}

/** What is needed of an interval. */
export type Drawn = Pick<MeterInterval, 'sequence' | 'from_ms' | 'to_ms' | 'energy' | 'reset'>

/** mJ of an interval within [from, to). */
export const drawnWithin = (one: Drawn, from_ms: number, to_ms: number): bigint =>
  drawnUntil(one, to_ms) - drawnUntil(one, from_ms)

function drawnUntil({ from_ms, to_ms, energy }: Drawn, at_ms: number): bigint {
  if (at_ms <= from_ms) return 0n
  return at_ms >= to_ms ? energy : (energy * BigInt(at_ms - from_ms)) / BigInt(to_ms - from_ms)
}

/**
 * How much of an interval is known: `whole`; `below unseen`, where a meter below missed some of it, so that its energy is in the rest
 * and cannot be told from it; `unseen`, where the upper meter began anew: then there is no rest.
 */
export type LevelState = 'whole' | 'below unseen' | 'unseen'

/** A meter below in an interval of the upper one: the first and the last of its intervals that reach into it; none: it was silent. */
export interface BelowPart {
  readonly meter: string
  readonly first: number | null
  readonly last: number | null
  readonly energy_mj: bigint
}

export interface LevelInterval {
  readonly state: LevelState
  readonly below: readonly BelowPart[]
  /** Upper − Σ below; below zero, the meters contradict each other. Null: the upper one began anew. */
  readonly rest_mj: bigint | null
  /** What of it is booked: never below zero. */
  readonly booked_mj: bigint
  /** What is owed after it. */
  readonly owed_mj: bigint
}

/**
 * An interval of an upper meter, and those of the meters below that reach into it.
 *
 * A rest below zero books nothing and is owed by the rests that follow: two meters that are not read at the same moment contradict
 * each other for a second and make up for it in the next. What is owed at the end of an hour is a fault of the meters, and told as one.
 */
export function levelInterval(
  upper: Drawn,
  under: ReadonlyMap<string, readonly Drawn[]>,
  owed_mj: bigint,
): LevelInterval {
  const below = [...under].map(([meter, intervals]): BelowPart => partOf(upper, meter, intervals))
  if (upper.reset) return { state: 'unseen', below, rest_mj: null, booked_mj: 0n, owed_mj }
  const rest_mj = upper.energy - below.reduce((sum, { energy_mj }) => sum + energy_mj, 0n)
  const due = rest_mj - owed_mj
  return {
    state: [...under.values()].every((intervals) => covers(intervals, upper)) ? 'whole' : 'below unseen',
    below,
    rest_mj,
    booked_mj: due > 0n ? due : 0n,
    owed_mj: due < 0n ? -due : 0n,
  }
}

const partOf = ({ from_ms, to_ms }: Drawn, meter: string, intervals: readonly Drawn[]): BelowPart => ({
  meter,
  first: intervals[0]?.sequence ?? null,
  last: intervals.at(-1)?.sequence ?? null,
  energy_mj: intervals.reduce((sum, one) => sum + drawnWithin(one, from_ms, to_ms), 0n),
})

/** Without a gap, and none of them begun anew. `intervals` in order of time. */
function covers(intervals: readonly Drawn[], { from_ms, to_ms }: Drawn): boolean {
  let at_ms = from_ms
  for (const one of intervals) {
    if (one.reset || one.from_ms > at_ms) return false
    at_ms = Math.max(at_ms, one.to_ms)
  }
  return at_ms >= to_ms
}

/** The place of a meter at a moment; undefined: nothing was below it. */
export const placeAt = (places: readonly MeterPlace[], meter: string, at_ms: number): MeterPlace | undefined =>
  places.find((one) => one.meter === meter && one.from_ms <= at_ms && (one.until_ms === null || one.until_ms > at_ms))

/** All meters under one, itself first; at a moment. */
export function subtree(places: readonly MeterPlace[], meter: string, at_ms: number): string[] {
  const found = [meter]
  for (const one of found)
    for (const below of placeAt(places, one, at_ms)?.below ?? []) if (!found.includes(below)) found.push(below)
  return found
}

/** Meters with nothing below them: the chips' own, which a rule may count. */
export const leaves = (places: readonly MeterPlace[], meter: string, at_ms: number): string[] =>
  subtree(places, meter, at_ms).filter((one) => !placeAt(places, one, at_ms))

/** The meters above one, nearest first. */
export function above(places: readonly MeterPlace[], meter: string, at_ms: number): string[] {
  const found: string[] = []
  for (let next: string | undefined = meter; next !== undefined && found.length <= places.length; ) {
    const of: string = next
    next = places.find((one) => one.below.includes(of) && placeAt(places, one.meter, at_ms) === one)?.meter
    if (next !== undefined) found.push(next)
  }
  return found
}
