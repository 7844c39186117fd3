import type { AttemptId } from '../../units/ids.ts'

/** What one step of an engine's batch did for one sequence in it. */
export interface SequenceStep {
  readonly attempt: AttemptId
  /** Prompt tokens evaluated: those found in the cache are not among them. */
  readonly prefill: number
  /** Tokens sampled: 0 while the prompt goes in by pieces, 1 with its last piece and in every step after it. */
  readonly decode: number
  /** Tokens whose keys and values the sequence's cache held before the step. */
  readonly context: number
}

/**
 * One step of an engine: one batch of one model, as the engine itself reports it. The embedded engine writes it into its log,
 * the simulated engine tells the same; nothing that is computed from it asks which of the two it was.
 */
export interface StepReport {
  /** The engine's own name for it. */
  readonly model: string
  /** The end of the step. */
  readonly at_ms: number
  readonly took_us: number
  /** CPU time of the engine's process in the step, over all its threads; null: not read. */
  readonly cpu_us: number | null
  readonly sequences: readonly SequenceStep[]
}
