import type { Watts } from '../../units/quantity.ts'
import type { MeterReader, Reading } from '../sqlite/meter.ts'

/**
 * Where nothing measures an engine: power at rest and at work as its owner declared it, by the time in which it had at least
 * one request. Estimated, and said to be: a batch of one counts like a full one.
 */
export class DeclaredMeter implements MeterReader {
  readonly meter: string
  readonly idle: Watts
  readonly #full: Watts
  #busy_ms = 0
  #looked_ms: number | undefined

  constructor(meter: string, idle: Watts, full: Watts) {
    this.meter = meter
    this.idle = idle
    this.#full = full
  }

  /** Called once a second: whether it works now stands for the time since the last call. */
  look(working: boolean, now_ms: number): void {
    if (working && this.#looked_ms !== undefined) this.#busy_ms += Math.max(0, now_ms - this.#looked_ms)
    this.#looked_ms = now_ms
  }

  read(): Reading {
    return {
      kind: 'cpu_time',
      busy_ms: this.#busy_ms,
      cores: 1,
      idle_watts: this.idle,
      full_watts: this.#full,
    }
  }
}
