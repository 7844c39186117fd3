import { isStale } from '../../plant/infrastructure/telemetry.ts'

/** A source that fails is asked less and less often, down to this: hundreds of dead addresses must cost nothing. */
const longestPause_ms = 30_000

/** One source that is looked at again and again: never twice at once, and seldom while it fails. */
export class Watch {
  readonly period_ms: number
  readonly #look: () => Promise<void>
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** When it last answered with what we can read. */
  seen_ms: number | undefined
  failures = 0
  /** Why it failed the last time; undefined: it did not. */
  trouble: string | undefined

  constructor(period_ms: number, look: () => Promise<void>, now: () => number) {
    this.period_ms = period_ms
    this.#look = look
    this.#now = now
    // Spread over the period, so that a fleet is not asked in one burst.
    this.#timer = setTimeout(() => void this.#turn(0), Math.random() * Math.min(period_ms, 1000))
  }

  get stale(): boolean {
    return isStale(this.seen_ms, this.#now(), this.period_ms)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #turn(row: number): Promise<void> {
    let failedInRow = row
    try {
      await this.#look()
      this.seen_ms = this.#now()
      this.trouble = undefined
      failedInRow = 0
    } catch (cause) {
      if (this.#closed) return
      this.failures++
      failedInRow++
      this.trouble = cause instanceof Error ? cause.message : String(cause)
    }
    if (this.#closed) return
    const pause = Math.min(Math.max(longestPause_ms, this.period_ms), this.period_ms * 2 ** Math.min(failedInRow, 10))
    this.#timer = setTimeout(() => void this.#turn(failedInRow), pause)
  }
}
