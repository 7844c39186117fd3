import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'
import type { EngineFault } from './flow.ts'

/** So many failures in a row are no accident. */
const failuresToEject = 3
/** How long it is left alone, doubled each time it fails its trial. */
const [first_s, longest_s] = [2, 60]
/** An engine that says it is full is left alone only for a moment. */
const overloaded_s = 0.5

/** Faults of the replica; what is wrong with the request is no mark against it. */
const itsFault: ReadonlySet<EngineFault> = new Set(['unreachable', 'crashed', 'timed_out', 'bad_reply', 'truncated'])

/**
 * Whether a replica deserves requests: a circuit breaker of its own for each. After some failures in a row it is left alone
 * for a while, then tried with one request; if that succeeds it is back, if not it is left alone for twice as long.
 */
export class Ejection {
  #failures = 0
  #times = 0
  #until = seconds(0)
  #trying = false

  /** Out, and not yet due for a trial. */
  isOut(now: Seconds): boolean {
    return now < this.#until || (this.#trying && this.#times > 0)
  }

  /** A request goes there: when it was out, this is its trial. */
  tried(): void {
    if (this.#times > 0) this.#trying = true
  }

  /** The trial ended without a verdict: the client left. */
  undecided(): void {
    this.#trying = false
  }

  succeeded(): void {
    this.#failures = 0
    this.#times = 0
    this.#trying = false
  }

  failed(fault: EngineFault, now: Seconds): void {
    this.#trying = false
    if (fault === 'overloaded') {
      this.#until = seconds(Math.max(this.#until, now + overloaded_s))
      return
    }
    if (!itsFault.has(fault)) return this.succeeded()
    this.#failures++
    if (this.#times === 0 && this.#failures < failuresToEject) return
    this.#until = seconds(now + Math.min(longest_s, first_s * 2 ** this.#times))
    this.#times++
  }
}

/** Retries as a share of requests: an outage must not be multiplied by those who try again. */
const retryShare = 0.2
/** So many retries are always there, so that a quiet gateway retries too. */
const spare = 10

/** A budget of retries: every request adds a fifth of one, every retry takes one. */
export class RetryBudget {
  #left = spare

  asked(): void {
    this.#left = Math.min(spare, this.#left + retryShare)
  }

  take(): boolean {
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
