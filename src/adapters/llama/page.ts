/** What one step writes into the log and may tell once it is written: collected, written with one call, then told. */

import { lineOfStep } from '../../books/work.ts'
import type { StepReport } from '../../plant/infrastructure/step.ts'
import { clock } from '../clock/clock.ts'
import type { EngineLog } from './log.ts'
import type { EngineFailure, EngineLogLine, EngineReport } from './protocol.ts'
import { countOf, lastWords, promptLeft, type Stream, type Taken } from './stream.ts'

export class Page {
  readonly ended: Stream[] = []
  private readonly lines: EngineLogLine[] = []
  private readonly reports: { readonly stream: Stream; readonly report: EngineReport }[] = []
  private readonly at_ms = clock.ms()

  /** What is planned; the end line has what was done, which is less only if the stream ends before its first token. */
  begin(stream: Stream): void {
    const { id, model } = stream.ask
    const prompt = { input_uncached: promptLeft(stream), cache_read: stream.cached }
    this.lines.push({ log: 'begin', at_ms: this.at_ms, id, model, ...prompt, prompt_in_steps: true })
    this.tell(stream, { on: 'begin', id, ...prompt })
  }

  step(report: Omit<StepReport, 'at_ms'>): void {
    this.lines.push(lineOfStep({ at_ms: this.at_ms, ...report }))
  }

  end(stream: Stream, why: 'stop' | 'length' | 'cancelled'): void {
    const count = countOf(stream)
    this.close(stream, why)
    const stop = why === 'stop' && stream.stop !== undefined ? { stop: stream.stop } : {}
    this.tell(stream, { on: 'end', id: stream.ask.id, why, ...stop, ...told(lastWords(stream)), count })
  }

  fail(stream: Stream, fault: EngineFailure, message: string): void {
    this.close(stream, 'fail')
    this.tell(stream, { on: 'fail', id: stream.ask.id, fault, message, count: countOf(stream) })
  }

  /** A sampled token, and what of the answer it makes certain. */
  token(stream: Stream, taken: Taken): void {
    this.tell(stream, { on: 'step', id: stream.ask.id, tokens: 1, ...told(taken) })
  }

  tell(stream: Stream, report: EngineReport): void {
    this.reports.push({ stream, report })
  }

  /** Writes, then tells; tells nothing when it could not write. */
  settle(log: EngineLog): { readonly ok: true } | { readonly ok: false; readonly message: string } {
    try {
      log.write(this.lines)
    } catch (error) {
      return { ok: false, message: `the engine log cannot be written: ${String(error)}` }
    }
    for (const { stream, report } of this.reports) stream.tell(report)
    return { ok: true }
  }

  private close(stream: Stream, why: 'stop' | 'length' | 'cancelled' | 'fail'): void {
    this.ended.push(stream)
    this.lines.push({ log: 'end', at_ms: this.at_ms, id: stream.ask.id, why, count: countOf(stream) })
  }
}

/** Most lines have text alone. */
const told = ({ text, calls, likelihoods }: Omit<Taken, 'finished'>) => ({
  text,
  ...(calls.length > 0 && { calls }),
  ...(likelihoods.length > 0 && { likelihoods }),
})
