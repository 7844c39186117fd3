import { totalTokens } from '../../books/usage.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { StepReport } from '../../plant/infrastructure/step.ts'
import type { StepCost } from '../../plant/models/step-cost.ts'
import type { EngineHeard, LoopConfig } from '../engine/engine.ts'
import { Engine } from '../engine/engine.ts'
import type { Flight } from '../engine/flight.ts'
import type { Sequence } from '../engine/sequence.ts'
import type { EngineTrouble, Scheduler } from '../engine/step.ts'
import type { Kernel } from '../kernel.ts'
import { order } from '../kernel.ts'
import type { Attempt, Speech } from './attempt.ts'
import { stepReports } from './step-reports.ts'

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
  /** Of these, what no gateway heard of. */
  unheard = 0
  readonly speech: Speech
  /** Who wants to hear of every step: as much work as the steps themselves. */
  onStep: ((report: StepReport) => void) | undefined
  readonly #kernel: Kernel
  readonly #model: string
  readonly #start_ms: number
  readonly #probe_ns: number
  #hear: (up: boolean) => void = () => {}

  constructor(
    kernel: Kernel,
    replica: Replica,
    parts: {
      readonly ranks: readonly Scheduler[]
      readonly cost: StepCost
      readonly loop: LoopConfig
      readonly speech: Speech
    },
    { probe_ns, start_ms }: { readonly probe_ns: number; readonly start_ms: number },
  ) {
    this.#kernel = kernel
    this.#model = Object.values(replica.models)[0] ?? ''
    this.#start_ms = start_ms
    this.#probe_ns = probe_ns
    this.replica = replica
    this.cost = parts.cost
    this.ranks = parts.ranks
    this.speech = parts.speech
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
    attempt.listener.ended(attempt)
    this.#count(attempt, totalTokens(attempt.usage))
  }

  failed(sequence: Sequence, why: EngineTrouble): void {
    const attempt = sequence as Attempt
    attempt.listener.failed(attempt, why)
    this.#count(attempt, attempt.scheduled_ns >= 0 ? attempt.prompt.tokens + attempt.told : 0)
  }

  /** What it made, and what of it no gateway heard: an upstream that was cut off, or says nothing of its usage. */
  #count(attempt: Attempt, made: number): void {
    this.tokens += made
    if (this.speech === 'own') return
    const { attempts } = attempt.running.flow
    const row = attempts.find(({ number }) => number === attempt.number)
    this.unheard += made - (row ? totalTokens(row.usage) : 0)
  }

  /** Each attempt's part in steps, in whole numbers, so that many steps of one batch add up to what one by one would. */
  stepped(flight: Flight, count: number): void {
    if (this.onStep) for (const report of stepReports(flight, count, this.#model, this.#start_ms)) this.onStep(report)
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
