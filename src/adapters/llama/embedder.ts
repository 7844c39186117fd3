/**
 * The engine's loop for a model that makes vectors: one text at a time, first come, first served.
 *
 * The log has what it has for streams: begin, a step per text, end; each line is written before anybody is told.
 */

import { lineOfStep } from '../../books/work.ts'
import type { AttemptId } from '../../units/ids.ts'
import { clock } from '../clock/clock.ts'
import type { EngineLog } from './log.ts'
import type { EngineCount, EngineLogLine, EngineReport } from './protocol.ts'
import type { EmbeddingModel } from './sequence.ts'
import { startClock } from './step-clock.ts'
import type { Ending } from './stream.ts'

/** One request: its texts as tokens. */
export interface Embedding {
  readonly id: string
  readonly model: string
  readonly inputs: readonly (readonly number[])[]
  readonly tell: (report: EngineReport) => void
  ending: Ending | undefined
}

type Why = Extract<EngineLogLine, { log: 'end' }>['why']

export class Embedder {
  private readonly model: EmbeddingModel
  private readonly log: EngineLog
  private readonly queue: number
  private waiting: Embedding[] = []
  private running: Embedding | undefined
  private loop: Promise<void> | undefined
  private closed = false

  constructor(model: EmbeddingModel, log: EngineLog, { queue }: { readonly queue: number }) {
    this.model = model
    this.log = log
    this.queue = queue
  }

  get load(): { readonly running: number; readonly waiting: number; readonly slots: number } {
    return { running: this.running ? 1 : 0, waiting: this.waiting.length, slots: 1 }
  }

  /** False when the queue is full, or the model is being closed. */
  submit(embedding: Embedding): boolean {
    if (this.closed || this.waiting.length >= this.queue + (this.running ? 0 : 1)) return false
    this.waiting.push(embedding)
    this.loop ??= this.turn()
    return true
  }

  async close(ending: Ending): Promise<void> {
    this.closed = true
    for (const one of [...this.waiting, ...(this.running ? [this.running] : [])]) one.ending ??= ending
    await this.loop
  }

  /** Takes no more, and waits until all it has is done. */
  async drain(): Promise<void> {
    this.closed = true
    await this.loop
  }

  private async turn(): Promise<void> {
    await undefined
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      this.running = next
      await this.work(next)
      this.running = undefined
    }
    this.loop = undefined
  }

  private async work(embedding: Embedding): Promise<void> {
    const { id, model, inputs, tell } = embedding
    const sizes = inputs.map((tokens) => this.model.size(tokens))
    const count = { input_uncached: 0, cache_read: 0, output: 0 }
    try {
      if (!embedding.ending) {
        const whole = sizes.reduce((sum, size) => sum + size, 0)
        const begin = { id, input_uncached: whole, cache_read: 0 }
        this.log.write([{ log: 'begin', at_ms: clock.ms(), model, ...begin, prompt_in_steps: true }])
        tell({ on: 'begin', ...begin })
      }
      for (const [index, tokens] of inputs.entries()) {
        if (embedding.ending) break
        const size = sizes[index] ?? 0
        if (await this.vector(embedding, index, tokens, size)) count.input_uncached += size
      }
      this.over(embedding, count)
    } catch (error) {
      // The log cannot be written: nothing more is told but that it failed.
      tell({ on: 'fail', id, fault: 'crashed', message: String(error) })
    }
  }

  private async vector(
    embedding: Embedding,
    index: number,
    tokens: readonly number[],
    prefill: number,
  ): Promise<boolean> {
    const { id, model, tell } = embedding
    const stepped = startClock()
    let vector: Float32Array
    try {
      vector = await this.model.embed(tokens)
    } catch (error) {
      embedding.ending = { how: 'failed', fault: 'crashed', message: `the model failed: ${String(error)}` }
      return false
    }
    const sequence = { attempt: id as AttemptId, prefill, decode: 0, context: 0 }
    this.log.write([lineOfStep({ model, at_ms: clock.ms(), ...stepped(), sequences: [sequence] })])
    tell({ on: 'vector', id, index, data: Buffer.from(vector.buffer).toString('base64') })
    return true
  }

  private over({ id, ending, tell }: Embedding, count: EngineCount): void {
    const why: Why = ending === undefined ? 'stop' : ending.how === 'cancelled' ? 'cancelled' : 'fail'
    this.log.write([{ log: 'end', at_ms: clock.ms(), id, why, count }])
    if (ending?.how === 'failed') tell({ on: 'fail', id, fault: ending.fault, message: ending.message, count })
    else tell({ on: 'end', id, why: ending ? 'cancelled' : 'stop', text: '', count })
  }
}
