import type { Random } from '../random.ts'

/**
 * Requests a second over time. `burst` is the coefficient of variation of the gaps: 1 is Poisson, more comes in bursts
 * (gamma). `daily` bends the rate: its value at each hour of the day, as a share of the mean, with straight lines between.
 */
export interface ArrivalShape {
  readonly perSecond: number
  readonly burst?: number
  readonly daily?: readonly number[]
}

/** An office day: quiet at night, a peak before and one after noon (a shape of ours, not measured). */
export const officeDay: readonly number[] = [
  0.35, 0.3, 0.27, 0.25, 0.26, 0.32, 0.48, 0.75, 1.15, 1.5, 1.68, 1.7, 1.5, 1.52, 1.68, 1.66, 1.55, 1.38, 1.2, 1.08,
  0.95, 0.8, 0.62, 0.46,
]

/** Times of arrival since the start, without end: gaps of mean 1 stretched by the rate at their time. */
export function* arrivals(
  { perSecond, burst = 1, daily }: ArrivalShape,
  random: Random,
  start_s: number,
): Generator<number> {
  const shape = 1 / (burst * burst)
  let at_ns = 0
  for (;;) {
    const gap = burst === 1 ? random.exponential(1) : random.gamma(shape, 1 / shape)
    const rate = perSecond * (daily ? shareAt(daily, start_s + at_ns / 1e9) : 1)
    at_ns += Math.round((gap / rate) * 1e9)
    yield at_ns
  }
}

function shareAt(daily: readonly number[], at_s: number): number {
  const place = (((at_s % 86_400) + 86_400) % 86_400) * (daily.length / 86_400)
  const hour = Math.floor(place)
  const [now = 1, next = 1] = [daily[hour % daily.length], daily[(hour + 1) % daily.length]]
  const mean = daily.reduce((sum, one) => sum + one, 0) / daily.length
  // Never nothing: a rate of zero would make the next gap endless.
  return Math.max(1e-3, (now + (next - now) * (place - hour)) / mean)
}

/** Numbers of tokens: lognormal about a median, within bounds. */
export interface LengthShape {
  readonly median: number
  /** Standard deviation of the logarithm; 0: always the median. */
  readonly spread: number
  readonly most: number
}

export const lengthFrom = ({ median, spread, most }: LengthShape, random: Random): number =>
  Math.max(1, Math.min(most, Math.round(spread === 0 ? median : random.lognormal(median, spread))))
