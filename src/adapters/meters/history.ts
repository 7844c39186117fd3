import { type Steps, stepsAfter } from '../../plant/energy/history.ts'
import { type Watts, watts } from '../../units/quantity.ts'
import type { StepValue } from '../prometheus/history.ts'
import type { MeterReader, Reading } from '../sqlite/meter.ts'

/**
 * A meter whose past somebody else keeps: what was missed while nobody asked is asked for later. It goes on after the last sample that was
 * written, so nothing is kept here that a crash could take; what was found is booked before more is asked for.
 */
export class HistoryMeter implements MeterReader {
  readonly meter: string
  /** As of FedMeter: the books learn it. */
  readonly idle = watts(0)
  readonly #most: Watts
  readonly #unit: 'watts' | 'joules'
  readonly #step_ms: number
  #found: Reading[] = []
  /** Undefined until it is known what was written last. */
  #after_ms: number | undefined
  #counter: number | undefined

  /** `most`: what cannot be exceeded by what it measures. */
  constructor(meter: string, most: Watts, unit: 'watts' | 'joules', step_s: number) {
    this.meter = meter
    this.#most = most
    this.#unit = unit
    this.#step_ms = step_s * 1000
  }

  get step_ms(): number {
    return this.#step_ms
  }

  resume(after_ms: number): void {
    this.#after_ms ??= after_ms
  }

  /** What is to be asked for now; undefined: nothing yet, or what was found last is not booked yet. */
  wanted(now_ms: number): Steps | undefined {
    if (this.#after_ms === undefined || this.#found.length > 0) return undefined
    return stepsAfter(this.#after_ms, now_ms, this.#step_ms)
  }

  /** What was found at the steps up to `asked`. A counter that has not moved is no new reading. */
  take(values: readonly StepValue[], asked: Steps): void {
    this.#after_ms = asked.last_ms
    for (const { at_ms, value } of values) {
      if (this.#unit === 'watts') {
        if (value <= this.#most) this.#found.push({ kind: 'power', watts: value, at_ms })
        continue
      }
      if (value === this.#counter) continue
      this.#counter = value
      this.#found.push({
        kind: 'energy_counter',
        energy_uj: Math.round(value * 1e6),
        wraps_at_uj: 0,
        most_watts: this.#most,
        at_ms,
      })
    }
  }

  get more(): boolean {
    return this.#found.length > 0
  }

  read(): Reading | undefined {
    return this.#found.shift()
  }
}
