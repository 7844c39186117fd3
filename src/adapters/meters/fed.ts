import type { InstanceActivity } from '../../plant/energy/meter.ts'
import { type Watts, watts } from '../../units/quantity.ts'
import type { GpuInstance } from '../prometheus/gpu-names.ts'
import type { MeterReader, Reading } from '../sqlite/meter.ts'

/** Of how long a time at most the share that an instance was busy is taken to tell. */
const longestShare_ms = 60_000

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
  #instances: { readonly at_ms: number; readonly of: Readonly<Record<string, InstanceActivity>> } | undefined

  /** `most`: what cannot be exceeded by what it measures. */
  constructor(meter: string, most: Watts) {
    this.meter = meter
    this.#most = most
  }

  /** A cumulative counter of energy, and what a board's MIG instances say with it. */
  energy(energy_mj: number, at_ms: number, instances?: ReadonlyMap<string, GpuInstance>): void {
    const last = this.#last
    if (last && (energy_mj === last.value || at_ms <= last.at_ms)) return
    this.#last = { value: energy_mj, at_ms }
    this.#next = {
      kind: 'energy_counter',
      energy_uj: Math.round(energy_mj * 1000),
      wraps_at_uj: 0,
      most_watts: this.#most,
      at_ms,
      ...this.#active(at_ms, instances),
    }
  }

  power(power_w: number, at_ms: number, instances?: ReadonlyMap<string, GpuInstance>): void {
    if (power_w > this.#most) return
    this.#next = { kind: 'power', watts: power_w, at_ms, ...this.#active(at_ms, instances) }
  }

  read(): Reading | undefined {
    const next = this.#next
    this.#next = undefined
    return next
  }

  /**
   * Shares → time: each is renewed with the reading, and of the time since the one before. What was not told for a while, or was cut anew,
   * begins at 0 again.
   */
  #active(at_ms: number, instances?: ReadonlyMap<string, GpuInstance>): Pick<Reading, 'instances'> {
    const before = this.#instances
    const since_ms = before ? Math.max(0, at_ms - before.at_ms) : 0
    const of = [...(instances ?? [])].flatMap(([instance, { profile, active }]) => {
      if (active === undefined || since_ms > longestShare_ms) return []
      const was = before?.of[instance]
      const added_us = was ? Math.round(Math.min(1, Math.max(0, active)) * since_ms * 1000) : 0
      const busy_us = was?.profile === profile ? was.busy_us + added_us : 0
      return [[instance, { profile, busy_us }] as const]
    })
    this.#instances = { at_ms, of: Object.fromEntries(of) }
    return of.length > 0 ? { instances: this.#instances.of } : {}
  }
}
