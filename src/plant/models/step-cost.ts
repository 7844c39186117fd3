import type { StepCoefficients } from '../energy/step-energy.ts'

/**
 * What a step costs in time and energy. Both grow evenly with the context that decoding sequences read, so that many steps
 * of one batch are a sum.
 */
export interface StepCost {
  /** Nanoseconds, but for the context: of prompt tokens, the keys they look at (`pairs`), and sequences that decode. */
  time_ns(prefill: number, pairs: number, decodes: number): number
  readonly timePerContext_ns: number
  /** Joules above idle, but for the context. */
  work_j(prefill: number, pairs: number, decodes: number): number
  readonly workPerContext_j: number
  /** The same by what each sequence did, to divide it among them: exact but for experts, which a batch shares unevenly. */
  readonly coefficients: StepCoefficients
  /** All chips of the replica: what they draw without work, and what they never exceed. */
  readonly idle_w: number
  readonly full_w: number
}

/** A step's time fitted to an engine that was watched: a + b prefill + c decodes + d context, and e for each key that a prompt token looks at. */
export interface FittedTime {
  readonly step_ms: number
  readonly prefill_ms: number
  readonly decode_ms: number
  readonly context_us: number
  readonly pair_us?: number
}

/** A step's energy fitted likewise, in joules above idle. */
export interface FittedEnergy {
  readonly idle_w: number
  readonly full_w: number
  readonly step_j: number
  readonly prefill_j: number
  readonly decode_j: number
  readonly context_j: number
}

/** No energy is modelled. */
export const noEnergy: FittedEnergy = { idle_w: 0, full_w: 0, step_j: 0, prefill_j: 0, decode_j: 0, context_j: 0 }

export const fittedCost = (time: FittedTime, energy: FittedEnergy = noEnergy): StepCost => ({
  time_ns: (prefill, pairs, decodes) =>
    1e6 * (time.step_ms + time.prefill_ms * prefill + time.decode_ms * decodes) + 1000 * (time.pair_us ?? 0) * pairs,
  timePerContext_ns: 1000 * time.context_us,
  work_j: (prefill, _, decodes) => energy.step_j + energy.prefill_j * prefill + energy.decode_j * decodes,
  workPerContext_j: energy.context_j,
  coefficients: {
    step: energy.step_j,
    prefill: energy.prefill_j,
    prefill_context: 0,
    decode: energy.decode_j,
    kv_read: energy.context_j,
  },
  idle_w: energy.idle_w,
  full_w: energy.full_w,
})
