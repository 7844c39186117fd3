import { type Watts, watts } from '../../units/quantity.ts'
import type { MeterReader, Reading } from '../sqlite/meter.ts'

/**
 * A meter that is fed by a source which is read elsewhere and at its own pace.
 *
 * An exporter refreshes its figures at its own interval (dcgm-exporter: 30 s unless told otherwise) and repeats them to
 * whoever asks in between. So an energy counter that has not moved is no new reading: the interval goes on until it moves,
 * and its joules fall on all of the time that they were drawn in, not on its last second.
 */
export class FedMeter implements MeterReader {
  readonly meter: string
  /** It does not know: the books learn it from the intervals in which nobody worked. */
  readonly idle = watts(0)
  readonly #most: Watts
  #next: Reading | undefined
  #last: { readonly value: number; readonly at_ms: number } | undefined

  /** `most`: what cannot be exceeded by what it measures. */
  constructor(meter: string, most: Watts) {
    this.meter = meter
    this.#most = most
  }

  /** A cumulative counter of energy. */
  energy(energy_mj: number, at_ms: number): void {
    const last = this.#last
    if (last && (energy_mj === last.value || at_ms <= last.at_ms)) return
    this.#last = { value: energy_mj, at_ms }
    this.#next = {
      kind: 'energy_counter',
      energy_uj: Math.round(energy_mj * 1000),
      wraps_at_uj: 0,
      most_watts: this.#most,
      at_ms,
    }
  }

  power(power_w: number, at_ms: number): void {
    if (power_w > this.#most) return
    this.#next = { kind: 'power', watts: power_w, at_ms }
  }

  read(): Reading | undefined {
    const next = this.#next
    this.#next = undefined
    return next
  }
}
