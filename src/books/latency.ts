/**
 * Latencies as counts in buckets: counts of minutes, models and gateways can be added, percentiles cannot.
 *
 * Twenty buckets a decade, so that a percentile is off by 6 % at most; from 1 ms, below which nothing here is, to 1000 s.
 */
const step = 1.1220184543019633 // 10^(1/20)
const edges: readonly number[] = Array.from({ length: 120 }).reduce<number[]>(
  (made) => [...made, (made.at(-1) ?? 1) * step],
  [1],
)

/** Bucket 0 is all below 1 ms; the last one is open above. */
export function latencyBucket(ms: number): number {
  let [low, high] = [0, edges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((edges[middle] ?? 0) <= ms) low = middle + 1
    else high = middle
  }
  return low
}

/** The latency below which a share `q` of them lies, in ms; undefined where there is none. Within a bucket they are spread evenly. */
export function quantile(counts: ReadonlyMap<number, number>, q: number): number | undefined {
  const buckets = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, count]) => sum + count, 0)
  if (total === 0) return undefined
  let left = q * total
  for (const [bucket, count] of buckets) {
    if (left <= count) return within(bucket, left / count)
    left -= count
  }
  return within(buckets.at(-1)?.[0] ?? 0, 1)
}

function within(bucket: number, share: number): number {
  const from = bucket === 0 ? 0 : (edges[bucket - 1] ?? 0)
  const to = edges[bucket] ?? from
  return from + (to - from) * share
}
