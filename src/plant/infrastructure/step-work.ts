import type { StepWork } from '../energy/step-energy.ts'
import type { SequenceStep, StepReport } from './step.ts'

/** What each sequence of a step did, with its share of the step: 1 / |S|. */
export const workOfStep = ({ sequences }: Pick<StepReport, 'sequences'>): StepWork[] =>
  sequences.map((sequence) => workOfSequence(sequence, sequences.length))

/**
 * One sequence's part in a step that `batch` sequences shared. A piece of a prompt looks at all keys before each of its
 * tokens; a token that is sampled without one reads the whole cache once.
 */
export const workOfSequence = (
  { prefill, decode, context }: Omit<SequenceStep, 'attempt'>,
  batch: number,
): StepWork => ({
  step_e9: Math.round(1e9 / batch),
  prefill,
  prefill_context: prefill * context + (prefill * (prefill + 1)) / 2,
  decode,
  kv_read: prefill === 0 && decode > 0 ? context : 0,
})
