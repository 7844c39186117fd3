import type { StepCost } from '../../plant/models/step-cost.ts'
import { Step } from './step.ts'

/** A step that was handed to the chips: one batch for each rank, which run in lockstep, so the largest tells the time. */
export class Flight {
  readonly steps: Step[]
  readonly #cost: StepCost
  /** Per rank: time and work but for the context, as they are while its batch stays the same. */
  readonly #time_ns: Float64Array
  readonly #work_j: Float64Array
  /** How much slower than it should be; 1: not at all. */
  slowness = 1
  /** What its chips may draw, and their clock under it, of the usual one. */
  limit_w = Number.POSITIVE_INFINITY
  #clock = 1
  /** Host time in which the chips wait. */
  host_ns = 0
  took_ns = 0
  end_ns = 0
  energy_j = 0

  constructor(ranks: number, cost: StepCost) {
    this.steps = Array.from({ length: ranks }, () => new Step())
    this.#cost = cost
    this.#time_ns = new Float64Array(ranks)
    this.#work_j = new Float64Array(ranks)
  }

  /** Its batches are composed: what will it take? A rank without work runs a batch of one for show. */
  weigh(host_ns: number, slowness: number, limit_w: number): void {
    this.host_ns = host_ns
    this.slowness = slowness
    this.limit_w = limit_w
    this.#clock = 1
    for (let rank = 0; rank < this.steps.length; rank++) {
      const { prefill, pairs, decodes } = this.steps[rank] as Step
      const shown = prefill + decodes > 0 ? decodes : 1
      this.#time_ns[rank] = this.#cost.time_ns(prefill, pairs, shown)
      this.#work_j[rank] = this.#cost.work_j(prefill, pairs, shown)
    }
    this.took_ns = this.tookAfter(0)
    this.#holdUnder(limit_w)
    this.energy_j = this.energyAfter(0, this.took_ns)
  }

  /** A device that may draw less slows its clock: power above rest goes with its cube, or nearly (x^⅜ is made of square roots). */
  #holdUnder(limit_w: number): void {
    const { idle_w, full_w } = this.#cost
    const wished_w = Math.min(full_w, (1e9 * this.#wishedAfter(0, this.took_ns)) / this.took_ns)
    if (!(wished_w > limit_w)) return
    const half = Math.sqrt(Math.sqrt(Math.max(1e-6, (limit_w - idle_w) / (wished_w - idle_w))))
    this.#clock = half * Math.sqrt(half)
    this.took_ns = this.tookAfter(0)
  }

  /** Time of the step that comes `later` steps after this one, if every batch stays the same: each sequence has one more token behind it. */
  tookAfter(later: number): number {
    let longest_ns = 0
    for (let rank = 0; rank < this.steps.length; rank++) {
      const { context, decodes } = this.steps[rank] as Step
      const time_ns = (this.#time_ns[rank] ?? 0) + this.#cost.timePerContext_ns * (context + later * decodes)
      if (time_ns > longest_ns) longest_ns = time_ns
    }
    return Math.round((longest_ns * this.slowness) / this.#clock) + this.host_ns
  }

  /** Likewise its energy: idle and work, but no more than the chips can, or may, draw. */
  energyAfter(later: number, took_ns: number): number {
    const most_w = Math.min(this.#cost.full_w, Math.max(this.limit_w, this.#cost.idle_w))
    return Math.min(most_w * (took_ns / 1e9), this.#wishedAfter(later, took_ns))
  }

  #wishedAfter(later: number, took_ns: number): number {
    const { workPerContext_j, idle_w } = this.#cost
    let drawn_j = idle_w * (took_ns / 1e9)
    for (let rank = 0; rank < this.steps.length; rank++) {
      const { context, decodes } = this.steps[rank] as Step
      drawn_j += (this.#work_j[rank] ?? 0) + workPerContext_j * (context + later * decodes)
    }
    return drawn_j
  }

  /** Becomes the step that comes `later` steps after it. */
  advance(later: number, end_ns: number): void {
    for (const step of this.steps) {
      step.context += later * step.decodes
      for (let at = 0; at < step.size; at++) step.contexts[at] = (step.contexts[at] ?? 0) + later
    }
    this.took_ns = this.tookAfter(0)
    this.energy_j = this.energyAfter(0, this.took_ns)
    this.end_ns = end_ns
  }
}
