import { limitAt, type PowerLimit } from '../../control/cap/limit.ts'
import type { Watts } from '../../units/quantity.ts'

/** What was really drawn in one second, the end of which is its time. */
export interface PowerSecond {
  readonly at_ms: number
  readonly power: Watts
}

/** How well a limit was kept. Every figure is of what was really drawn, not of what meters showed. */
export interface PowerReport {
  readonly seconds: number
  /** Seconds with more than the limit, and of these those that were not in the time after it fell, or after the beginning. */
  readonly over_s: number
  readonly steady_over_s: number
  /** The most above the limit, W. */
  readonly worst_w: number
  /** Of what was allowed, this was used. */
  readonly used_share: number
  /** Each time that it fell: from then on until it was kept for good. */
  readonly falls: readonly { readonly at_ms: number; readonly limit_w: number; readonly kept_after_s: number }[]
}

/** A limit that falls without notice is kept after so long: what is under way goes on, and devices take a second or two. */
export const settles_ms = 30_000

export function holds(seconds: readonly PowerSecond[], limit: PowerLimit): PowerReport {
  const begin = (seconds[0]?.at_ms ?? 0) - 1000
  const falls = limit.events
    .map(({ from_ms }) => from_ms)
    .filter((at_ms) => limitAt(limit, at_ms) < limitAt(limit, at_ms - 1))
  const starts = [begin, ...falls]
  // A device at its limit draws it to the last digit, and sums of fractions are off in theirs.
  const over = seconds.filter(({ at_ms, power }) => power > limitAt(limit, at_ms - 1) * (1 + 1e-9))
  const isSteady = ({ at_ms }: PowerSecond): boolean =>
    !starts.some((from_ms) => at_ms > from_ms && at_ms <= from_ms + settles_ms)
  const allowed = seconds.reduce((sum, { at_ms }) => sum + limitAt(limit, at_ms - 1), 0)
  return {
    seconds: seconds.length,
    over_s: over.length,
    steady_over_s: over.filter(isSteady).length,
    worst_w: over.reduce((worst, { at_ms, power }) => Math.max(worst, power - limitAt(limit, at_ms - 1)), 0),
    used_share: allowed > 0 ? seconds.reduce((sum, { power }) => sum + power, 0) / allowed : 0,
    falls: falls.map((from_ms) => {
      const last = over.findLast(({ at_ms }) => at_ms > from_ms && at_ms <= from_ms + settles_ms)
      return {
        at_ms: from_ms,
        limit_w: limitAt(limit, from_ms),
        kept_after_s: last ? (last.at_ms - from_ms) / 1000 : 0,
      }
    }),
  }
}
