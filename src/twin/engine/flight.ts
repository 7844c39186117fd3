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
  weigh(host_ns: number, slowness: number): void {
    this.host_ns = host_ns
    this.slowness = slowness
    for (let rank = 0; rank < this.steps.length; rank++) {
      const { prefill, pairs, decodes } = this.steps[rank] as Step
      const shown = prefill + decodes > 0 ? decodes : 1
      this.#time_ns[rank] = this.#cost.time_ns(prefill, pairs, shown)
      this.#work_j[rank] = this.#cost.work_j(prefill, pairs, shown)
    }
    this.took_ns = this.tookAfter(0)
    this.energy_j = this.energyAfter(0, this.took_ns)
  }

  /** Time of the step that comes `later` steps after this one, if every batch stays the same: each sequence has one more token behind it. */
  tookAfter(later: number): number {
    let longest_ns = 0
    for (let rank = 0; rank < this.steps.length; rank++) {
      const { context, decodes } = this.steps[rank] as Step
      const time_ns = (this.#time_ns[rank] ?? 0) + this.#cost.timePerContext_ns * (context + later * decodes)
      if (time_ns > longest_ns) longest_ns = time_ns
    }
    return Math.round(longest_ns * this.slowness) + this.host_ns
  }

  /** Likewise its energy: idle and work, but no more than the chips can draw. */
  energyAfter(later: number, took_ns: number): number {
    const { workPerContext_j, idle_w, full_w } = this.#cost
    const took_s = took_ns / 1e9
    let drawn_j = idle_w * took_s
    for (let rank = 0; rank < this.steps.length; rank++) {
      const { context, decodes } = this.steps[rank] as Step
      drawn_j += (this.#work_j[rank] ?? 0) + workPerContext_j * (context + later * decodes)
    }
    return Math.min(full_w * took_s, drawn_j)
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
