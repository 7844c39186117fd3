/**
 * A figure that depends on the time, as data: what a kWh costs by hour and season, how much a hall draws beyond its servers,
 * how much carbon a kWh carries. Whole numbers of a unit that the owner names, so that the same time gives the same figure.
 */

/** Applies where all that it names fits; times are UTC plus `Series.offset_min`. */
export interface SeriesRule {
  /** 1 to 12. */
  readonly months?: readonly number[]
  /** 0 is Sunday. */
  readonly weekdays?: readonly number[]
  /** From this hour, included, to that one, not included; over midnight where the second is not later. */
  readonly hours?: readonly [from: number, to: number]
  readonly value: bigint
}

export interface Series {
  /** Where no rule and no point says otherwise. */
  readonly usual: bigint
  /** The first that fits. */
  readonly rules?: readonly SeriesRule[]
  /** Measured or published values in order of time: each from its moment on; they come before rules. */
  readonly points?: readonly { readonly at_ms: number; readonly value: bigint }[]
  /** The last point holds for so long and no longer: an old file must not price next year. */
  readonly holds_ms?: number
  /** Local time without its summer time: minutes east of UTC. */
  readonly offset_min?: number
}

export function valueAt(series: Series, at_ms: number): bigint {
  const point = lastAtOrBefore(series.points ?? [], at_ms)
  if (point && at_ms < point.at_ms + (series.holds_ms ?? usuallyHolds_ms)) return point.value
  const local = new Date(at_ms + (series.offset_min ?? 0) * 60_000)
  return series.rules?.find((rule) => fits(rule, local))?.value ?? series.usual
}

const usuallyHolds_ms = 3_600_000

function fits({ months, weekdays, hours }: SeriesRule, local: Date): boolean {
  if (months && !months.includes(local.getUTCMonth() + 1)) return false
  if (weekdays && !weekdays.includes(local.getUTCDay())) return false
  if (!hours) return true
  const [from, to] = hours
  const hour = local.getUTCHours()
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

type Point = NonNullable<Series['points']>[number]

function lastAtOrBefore(points: readonly Point[], at_ms: number): Point | undefined {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle]?.at_ms ?? 0) <= at_ms) low = middle + 1
    else high = middle
  }
  return points[low - 1]
}

/** Markets settle in quarters of an hour at the finest, carbon is published by five minutes. */
const grain_ms = 300_000

/** Sum of the values at every five minutes of a time, and how many they are: their mean without a rounding. */
export function sumOver(series: Series, from_ms: number, to_ms: number): { sum: bigint; count: bigint } {
  let [sum, count] = [0n, 0n]
  for (let at_ms = from_ms; at_ms < to_ms; at_ms += grain_ms) {
    sum += valueAt(series, at_ms)
    count++
  }
  return { sum, count }
}

/** Half up to a whole number. */
export function meanOver(series: Series, from_ms: number, to_ms: number): bigint {
  const { sum, count } = sumOver(series, from_ms, to_ms)
  return count === 0n ? valueAt(series, from_ms) : (2n * sum + count) / (2n * count)
}
