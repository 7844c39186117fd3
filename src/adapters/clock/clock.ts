import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'

/** Beyond this the monotonic clock has missed time: the machine slept, or its clock was set. */
const longestMissMs = 1000

/**
 * Unix time that never goes back: limits and deadlines hold when somebody sets the clock, and rows still carry a date.
 *
 * The monotonic clock leads. It stands still while a laptop sleeps, so when it falls behind the wall clock it is moved
 * forward; a wall clock that goes back is ignored until the process starts again.
 */
export function clock(monotonicMs = (): number => performance.now(), wallMs = (): number => Date.now()): () => Seconds {
  let base = wallMs() - monotonicMs()
  return () => {
    const missed = wallMs() - (base + monotonicMs())
    if (missed > longestMissMs) base += missed
    return seconds((base + monotonicMs()) / 1000)
  }
}
