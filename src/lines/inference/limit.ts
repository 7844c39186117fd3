import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'

/**
 * A bucket that holds one minute's worth and refills evenly: never more than capacity + rate × t is let through.
 *
 * It may be overdrawn when a request turns out larger than its reserve; the debt is paid before anything else passes.
 */
export class Bucket {
  readonly capacity: number
  #level: number
  #at: Seconds

  constructor(perMinute: number, now: Seconds) {
    this.capacity = perMinute
    this.#level = perMinute
    this.#at = now
  }

  /** What may be taken now; negative while in debt. */
  level(now: Seconds): number {
    // A clock that stands still or goes back refills nothing.
    const elapsed = Math.max(0, now - this.#at)
    this.#level = Math.min(this.capacity, this.#level + (elapsed * this.capacity) / 60)
    if (now > this.#at) this.#at = now
    return this.#level
  }

  /** Time until `amount` can be taken; zero: now. Infinite when it is more than the bucket ever holds. */
  delay(amount: number, now: Seconds): Seconds {
    if (amount > this.capacity) return seconds(Number.POSITIVE_INFINITY)
    const lacking = amount - this.level(now)
    return seconds(lacking <= 0 ? 0 : (lacking * 60) / this.capacity)
  }

  /** Takes it, into debt if need be; a negative amount gives back. */
  take(amount: number, now: Seconds): void {
    this.#level = Math.min(this.capacity, this.level(now) - amount)
  }
}
