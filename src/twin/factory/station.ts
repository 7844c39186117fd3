import { totalTokens } from '../../books/usage.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { StepCost } from '../../plant/models/step-cost.ts'
import type { EngineHeard, LoopConfig } from '../engine/engine.ts'
import { Engine } from '../engine/engine.ts'
import type { Flight } from '../engine/flight.ts'
import type { Sequence } from '../engine/sequence.ts'
import type { EngineTrouble, Scheduler } from '../engine/step.ts'
import type { Kernel } from '../kernel.ts'
import { order } from '../kernel.ts'
import type { Attempt } from './attempt.ts'

/** A replica as it stands in the twin: its engine, and who is told when it comes up or goes down. */
export class Station implements EngineHeard {
  readonly replica: Replica
  readonly engine: Engine
  readonly cost: StepCost
  readonly ranks: readonly Scheduler[]
  /** Attempts that it worked on. */
  readonly attempts: Attempt[] = []
  /** Tokens that it has made, by its own word; of what a crash cut off, by what it had begun and told. */
  tokens = 0
  readonly #kernel: Kernel
  readonly #probe_ns: number
  #hear: (up: boolean) => void = () => {}

  constructor(
    kernel: Kernel,
    replica: Replica,
    parts: { readonly ranks: readonly Scheduler[]; readonly cost: StepCost; readonly loop: LoopConfig },
    probe_ns: number,
  ) {
    this.#kernel = kernel
    this.#probe_ns = probe_ns
    this.replica = replica
    this.cost = parts.cost
    this.ranks = parts.ranks
    this.engine = new Engine(kernel, parts.ranks, parts.cost, parts.loop, this)
  }

  /** Gateways learn from probes, some time after it is so. */
  onHealth(hear: (up: boolean) => void): void {
    this.#hear = hear
  }

  /** Crashes, and is started again. */
  crash(downFor_ns: number): void {
    this.engine.crash()
    this.#kernel.schedule(this.#kernel.now_ns + this.#probe_ns, order.arrives, () => {
      if (this.engine.state !== 'up') this.#hear(false)
    })
    this.#kernel.schedule(this.#kernel.now_ns + downFor_ns, order.arrives, () => this.engine.start())
  }

  ready(): void {
    this.#kernel.schedule(this.#kernel.now_ns + this.#probe_ns, order.arrives, () => {
      if (this.engine.state === 'up') this.#hear(true)
    })
  }

  begun(sequence: Sequence): void {
    const attempt = sequence as Attempt
    attempt.listener.begun(attempt)
  }

  made(sequence: Sequence, tokens: number): void {
    const attempt = sequence as Attempt
    attempt.listener.made(attempt, tokens)
  }

  ended(sequence: Sequence): void {
    const attempt = sequence as Attempt
    this.tokens += totalTokens(attempt.usage)
    attempt.listener.ended(attempt)
  }

  failed(sequence: Sequence, why: EngineTrouble): void {
    const attempt = sequence as Attempt
    if (attempt.scheduled_ns >= 0) this.tokens += attempt.prompt.tokens + attempt.told
    attempt.listener.failed(attempt, why)
  }

  /** Each attempt's part in steps, in whole numbers, so that many steps of one batch add up to what one by one would. */
  stepped(flight: Flight, count: number): void {
    for (const step of flight.steps)
      for (let at = 0; at < step.size; at++) {
        const { work } = step.sequences[at] as Attempt
        const [tokens, context] = [step.tokens[at] ?? 0, step.contexts[at] ?? 0]
        work.step_e9 += count * Math.round(1e9 / step.size)
        if (step.samples[at]) work.decode += count
        if (step.isDecode[at]) work.kv_read += count * context + (count * (count - 1)) / 2
        else {
          work.prefill += tokens
          work.prefill_context += tokens * context + (tokens * (tokens + 1)) / 2
        }
      }
  }
}
