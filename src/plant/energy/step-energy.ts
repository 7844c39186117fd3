import type { Joules } from '../../units/quantity.ts'
import { joules } from '../../units/quantity.ts'

/**
 * What of a batch's steps costs energy, for one sequence or the sum of several, in one step or the sum of many.
 *
 * Whole numbers only, so that a sum does not depend on the order of its parts, and so that the same bins give the same
 * energy for ever, under any coefficients.
 */
export interface StepWork {
  /** Shares of steps in billionths: a step that n sequences share is 1e9 / n of each of them. */
  readonly step_e9: number
  /** Prompt tokens evaluated. */
  readonly prefill: number
  /** Keys that these prompt tokens looked at: p × context + p (p + 1) / 2 for a piece of p tokens. */
  readonly prefill_context: number
  /** Tokens sampled. */
  readonly decode: number
  /** Keys and values read from the cache to sample them. */
  readonly kv_read: number
}

export const noWork: StepWork = { step_e9: 0, prefill: 0, prefill_context: 0, decode: 0, kv_read: 0 }

export const plusWork = (a: StepWork, b: StepWork): StepWork => ({
  step_e9: a.step_e9 + b.step_e9,
  prefill: a.prefill + b.prefill,
  prefill_context: a.prefill_context + b.prefill_context,
  decode: a.decode + b.decode,
  kv_read: a.kv_read + b.kv_read,
})

/**
 * The energy of a step: E(S) = F + Σ v_i with v_i = α prefill + α₂ prefill × context + β decode + γ kv_read.
 *
 * Joules: `step` is F, what a step costs whoever is in it (the weights are read once, the kernels launched once), the others
 * are for one unit of their term. None is negative: a token cannot give energy back.
 */
export interface StepCoefficients {
  readonly step: number
  readonly prefill: number
  readonly prefill_context: number
  readonly decode: number
  readonly kv_read: number
}

/** The names of the coefficients, in the order of the formula. */
export const stepTerms = ['step', 'prefill', 'prefill_context', 'decode', 'kv_read'] as const

/** What the model says that the work drew: for all of a step it is E(S), for one of its sequences F / |S| + v_i. */
export const energyOf = (work: StepWork, joulesFor: StepCoefficients): Joules =>
  joules(
    (work.step_e9 / 1e9) * joulesFor.step +
      work.prefill * joulesFor.prefill +
      work.prefill_context * joulesFor.prefill_context +
      work.decode * joulesFor.decode +
      work.kv_read * joulesFor.kv_read,
  )
