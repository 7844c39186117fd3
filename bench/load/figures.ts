/** Numbers of a load: percentiles by nearest rank, and medians over rounds. */

export interface Spread {
  readonly n: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly most: number
}

/** The smallest value that a share of all does not exceed; of nothing it is not a number. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export function spread(values: Iterable<number>): Spread {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number => percentile(sorted, share)
  return { n: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) }
}

/** Of an even count, the mean of the two in the middle; what is not a number is left out. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}
