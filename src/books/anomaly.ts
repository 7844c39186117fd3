/** The same hour of so many days before is what is usual; of fewer than the least nothing is known. */
export const peerDays = 14
const fewestPeers = 5
/** Spreads from the middle beyond which an hour is told: once in some hundred million of a bell curve, seldom of real traffic. */
const far = 6
/** Of the median: days that were all alike do not make a cent unusual. */
const leastSpread = 0.05
/** A median's deviation of a bell curve is this part of its standard deviation. */
const madToSigma = 1.4826

export interface Anomaly {
  readonly usual: number
  /** Above zero: more than usual. */
  readonly more: number
  /** In spreads. */
  readonly score: number
}

/**
 * Whether an hour is unlike the same hour of the days before: by the median and its absolute deviation, which one bad day among
 * them does not move. `least`: differences below it are nobody's concern.
 */
export function anomalyOf(hour: number, peers: readonly number[], least: number): Anomaly | undefined {
  if (peers.length < fewestPeers) return undefined
  const usual = median(peers)
  const spread = Math.max(madToSigma * median(peers.map((peer) => Math.abs(peer - usual))), leastSpread * usual)
  const more = hour - usual
  if (Math.abs(more) < least) return undefined
  const score = spread > 0 ? Math.abs(more) / spread : Number.POSITIVE_INFINITY
  return score >= far ? { usual, more, score } : undefined
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
}
