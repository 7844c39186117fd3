import type { StepReport } from '../../plant/infrastructure/step.ts'
import { attemptId } from '../../units/ids.ts'
import type { Flight } from '../engine/flight.ts'
import type { Attempt } from './attempt.ts'

/**
 * Steps as an engine reports them, one after the other: `count` of the same batches, of which `flight` is the first. A leap
 * tells the very steps that it passes over.
 */
export function* stepReports(flight: Flight, count: number, model: string, start_ms: number): Generator<StepReport> {
  let end_ns = flight.end_ns
  for (let step = 0; step < count; step++) {
    const took_ns = step === 0 ? flight.took_ns : flight.tookAfter(step)
    if (step > 0) end_ns += took_ns
    for (const { sequences, tokens, contexts, samples, isDecode } of flight.steps)
      if (sequences.length > 0)
        yield {
          model,
          at_ms: start_ms + Math.round(end_ns / 1e6),
          took_us: Math.round(took_ns / 1000),
          cpu_us: null,
          sequences: sequences.map((sequence, at) => {
            const { running, number } = sequence as Attempt
            return {
              attempt: attemptId(running.flow.id, number),
              prefill: isDecode[at] ? 0 : (tokens[at] ?? 0),
              decode: samples[at] ? 1 : 0,
              context: (contexts[at] ?? 0) + step,
            }
          }),
        }
  }
}
