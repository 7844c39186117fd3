/**
 * The engine's loop for one model: admit → plan → run → post, one batch of llama.cpp at a time, for as long as there is work.
 *
 * All sequences of a step are started together and waited for together. Left to themselves they drift apart: node-llama-cpp
 * begins the next batch as soon as the first of them has asked for one, and the one that sampled last misses it. In lock-step
 * a batch holds every stream, its time is the time of exactly these streams, and the log gets one line and one write.
 */
import type { SequenceStep } from '../../plant/infrastructure/step.ts'
import type { AttemptId } from '../../units/ids.ts'
import type { EngineLog } from './log.ts'
import { Page } from './page.ts'
import type { EngineModel, Sampled, Sequence } from './sequence.ts'
import { chooseLane } from './slots.ts'
import { planStep, type Work } from './step.ts'
import { startClock } from './step-clock.ts'
import { cached, type Ending, grammarNow, promptLeft, type Stream, takeToken } from './stream.ts'

export interface BatcherConfig {
  /** Tokens evaluated in one step, at most. */
  readonly batch: number
  /** Streams that may wait beyond those that a free sequence will take. */
  readonly queue: number
}

export class Batcher {
  private readonly model: EngineModel
  private readonly log: EngineLog
  private readonly config: BatcherConfig
  private readonly free: Sequence[]
  /** Sequences that work, free or not. One that is being given back is neither free nor running. */
  private slots: number
  private waiting: Stream[] = []
  private running: Stream[] = []
  private loop: Promise<void> | undefined
  private closed = false

  constructor(model: EngineModel, log: EngineLog, config: BatcherConfig) {
    this.model = model
    this.log = log
    this.config = config
    this.free = [...model.sequences]
    this.slots = this.free.length
  }

  get load(): { readonly running: number; readonly waiting: number; readonly slots: number } {
    return { running: this.running.length, waiting: this.waiting.length, slots: this.slots }
  }

  /** False when the queue is full, or the model is being closed. */
  submit(stream: Stream): boolean {
    if (this.closed) return false
    const atOnce = this.slots - this.running.length
    if (this.waiting.length >= this.config.queue + atOnce) return false
    this.waiting.push(stream)
    this.loop ??= this.turn()
    return true
  }

  /** Ends all streams, takes no more, and waits until the last step is over. */
  async close(ending: Ending): Promise<void> {
    this.closed = true
    for (const stream of [...this.waiting, ...this.running]) stream.ending ??= ending
    await this.loop
  }

  /** Takes no more, and waits until all it has is done. */
  async drain(): Promise<void> {
    this.closed = true
    await this.loop
  }

  private async turn(): Promise<void> {
    await undefined // what is submitted in the same tick joins the first batch
    while (this.waiting.length + this.running.length > 0) await this.step()
    this.loop = undefined
  }

  private async step(): Promise<void> {
    const opening = new Page()
    this.sweep(opening)
    await this.admit(opening)
    if (!(await this.settle(opening))) return

    const work = planStep(this.running, this.config.batch)
    if (work.length === 0) return
    const before = work.map(({ stream }) => cached(stream))
    const clock = startClock()
    const results = await Promise.allSettled(work.map(({ stream, prompt }) => this.run(stream, prompt)))
    const took = clock()

    const page = new Page()
    const sequences = work.map(({ stream, prompt }, at): SequenceStep => {
      const result = results[at]
      const done = result?.status === 'fulfilled'
      return {
        attempt: stream.ask.id as AttemptId,
        prefill: done ? prompt : 0,
        decode: done && result.value !== undefined ? 1 : 0,
        context: before[at] ?? 0,
      }
    })
    page.step({ model: work[0]?.stream.ask.model ?? '', ...took, sequences })
    work.forEach((item, at) => {
      this.post(page, item, results[at])
    })
    this.sweep(page)
    await this.settle(page)
  }

  /** Evaluates a stream's share of the step; gives the token sampled, if any. */
  private async run(stream: Stream, prompt: number): Promise<Sampled | undefined> {
    const sequence = stream.sequence
    if (!sequence) throw new Error('a running stream has a sequence')
    if (prompt === 0) return sequence.next(grammarNow(stream))

    const from = stream.cached + stream.evaluated
    const tokens = stream.ask.prompt.slice(from, from + prompt)
    if (prompt === promptLeft(stream)) return sequence.first(tokens, stream.ask.choosing)
    await sequence.feed(tokens)
    return undefined
  }

  private post(
    page: Page,
    { stream, prompt }: Work,
    result: PromiseSettledResult<Sampled | undefined> | undefined,
  ): void {
    if (result?.status !== 'fulfilled') {
      stream.ending = { how: 'failed', fault: 'crashed', message: `the model failed: ${String(result?.reason)}` }
      return
    }
    stream.evaluated += prompt
    if (result.value === undefined) return
    const taken = takeToken(stream, result.value, this.model)
    page.token(stream, taken)
    if (taken.finished) {
      page.end(stream, taken.finished)
      this.running = this.running.filter((other) => other !== stream)
    }
  }

  /** Ends every stream that was cancelled or failed. */
  private sweep(page: Page): void {
    const goesOn = (stream: Stream): boolean => {
      if (stream.ending?.how === 'cancelled') page.end(stream, 'cancelled')
      if (stream.ending?.how === 'failed') page.fail(stream, stream.ending.fault, stream.ending.message)
      return !stream.ending
    }
    this.waiting = this.waiting.filter(goesOn)
    this.running = this.running.filter(goesOn)
  }

  /** First come, first served: gives free sequences to waiting streams. */
  private async admit(page: Page): Promise<void> {
    while (this.waiting.length > 0 && this.free.length > 0) {
      const stream = this.waiting.shift()
      const lanes = this.free.map((sequence) => ({ held: sequence.held(), cuttable: sequence.cuttable }))
      const choice = stream && chooseLane(lanes, stream.ask.prompt)
      const [sequence] = choice ? this.free.splice(choice.lane, 1) : []
      if (!stream || !choice || !sequence) return

      stream.sequence = sequence
      stream.cached = choice.keep
      this.running.push(stream)
      try {
        await sequence.keep(choice.keep)
        page.begin(stream)
      } catch (error) {
        stream.cached = 0
        stream.ending = { how: 'failed', fault: 'crashed', message: `the KV cache could not be cut: ${String(error)}` }
      }
    }
    if (this.slots > 0) return
    for (const stream of this.waiting)
      stream.ending = { how: 'failed', fault: 'crashed', message: 'the model has no working sequence left: reload it' }
    this.sweep(page)
  }

  /** Log first, then tell, then give the sequences back. Without the log nothing is told but that it failed. */
  private async settle(page: Page): Promise<boolean> {
    const written = page.settle(this.log)
    const over = written.ok ? page.ended : [...page.ended, ...this.running, ...this.waiting]
    if (!written.ok) {
      for (const { ask, tell } of over) tell({ on: 'fail', id: ask.id, fault: 'crashed', message: written.message })
      this.running = []
      this.waiting = []
    }
    await Promise.all(over.map((stream) => this.release(stream)))
    return written.ok
  }

  private async release(stream: Stream): Promise<void> {
    const { sequence } = stream
    stream.sequence = undefined
    if (!sequence) return
    try {
      await sequence.stop()
      if (stream.ending?.how === 'failed') await sequence.keep(0) // what a failed evaluation left there is not known
      this.free.push(sequence)
    } catch (error) {
      this.slots--
      console.error(`engine: a sequence is lost, it could not be cleared: ${String(error)}`)
    }
  }
}
