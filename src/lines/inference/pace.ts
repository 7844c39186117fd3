import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'

/** A pause longer than this was no queue at work. */
const longestGap = 10

/** How often a place becomes free for somebody who waits: the mean of the last ten or so. */
export class Pace {
  #last: Seconds | undefined
  #between = 0

  /** Seconds between two places; 0 until it is known. */
  get between(): Seconds {
    return seconds(this.#between)
  }

  served(now: Seconds): void {
    const gap = this.#last === undefined ? undefined : now - this.#last
    this.#last = now
    if (gap === undefined || gap < 0 || gap > longestGap) return
    this.#between = this.#between === 0 ? gap : 0.9 * this.#between + 0.1 * gap
  }
}
