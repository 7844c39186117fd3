/** Steps of a meter whose past can be asked for: which are to be asked next, so that each is asked once it is known and no later. */

/** In milliseconds since 1970; both ends included. */
export interface Steps {
  readonly first_ms: number
  readonly last_ms: number
}

/** A scrape is stored some moments after the time that it is dated. */
const settled_ms = 5_000
/** What is older is not asked for: a meter that was away for longer has a gap. */
const longest_ms = 24 * 3_600_000
/** Far below the 11,000 points that Prometheus answers at the most, and small enough that other meters are not kept waiting. */
const mostSteps = 1_000

/**
 * Steps after a moment, on whole multiples of the step: whoever asks, and whenever, asks for the same moments. Undefined: none is known
 * yet.
 */
export function stepsAfter(after_ms: number, now_ms: number, step_ms: number): Steps | undefined {
  const known_ms = Math.floor((now_ms - settled_ms) / step_ms) * step_ms
  const oldest_ms = Math.ceil((now_ms - longest_ms) / step_ms) * step_ms
  const first_ms = Math.max(Math.floor(after_ms / step_ms) * step_ms + step_ms, oldest_ms)
  if (first_ms > known_ms) return undefined
  return { first_ms, last_ms: Math.min(known_ms, first_ms + (mostSteps - 1) * step_ms) }
}
