import type { StepCost } from '../../plant/models/step-cost.ts'
import { fittedCost } from '../../plant/models/step-cost.ts'
import { assert } from '../../units/assert.ts'
import { Kernel, order } from '../kernel.ts'
import type { Prompt } from '../workload/prompt.ts'
import { unique } from '../workload/prompt.ts'
import type { EngineHeard, LoopConfig } from './engine.ts'
import { Engine, loopDefaults } from './engine.ts'
import type { PagedConfig } from './paged.ts'
import { PagedScheduler, pagedDefaults } from './paged.ts'
import { Sequence } from './sequence.ts'
import type { Scheduler } from './step.ts'

/** What comes to an engine under test. */
export interface Asked {
  readonly at_ms: number
  readonly prompt: number | Prompt
  readonly most: number
  readonly length?: number
  readonly priority?: number
}

/** A step of 10 ms, whatever is in it: ends can be told in the head. */
export const tenMs = fittedCost({ step_ms: 10, prefill_ms: 0, decode_ms: 0, context_us: 0 })

/** An engine with its kernel, what it said, and its sequences in the order in which they were asked. */
export class Bench {
  readonly kernel = new Kernel()
  readonly ranks: readonly Scheduler[]
  readonly engine: Engine
  readonly sequences: Sequence[] = []
  readonly said: string[] = []
  readonly made = new Map<Sequence, number>()

  constructor(
    ranks: readonly Scheduler[],
    cost: StepCost,
    loop: Partial<LoopConfig> = {},
    more: Partial<EngineHeard> = {},
  ) {
    const say = (what: string) => (sequence: Sequence) => {
      this.said.push(`${this.kernel.now_ns} ${what} ${sequence.tag}`)
    }
    this.ranks = ranks
    this.engine = new Engine(
      this.kernel,
      ranks,
      cost,
      { ...loopDefaults, ...loop },
      {
        begun: say('begun'),
        made: (sequence, tokens) => {
          this.made.set(sequence, (this.made.get(sequence) ?? 0) + tokens)
        },
        ended: say('ended'),
        failed: (sequence, why) => say(`failed ${why}`)(sequence),
        ready: () => {},
        ...more,
      },
    )
    this.engine.start()
  }

  ask(...all: readonly Asked[]): this {
    for (const { at_ms, prompt, ...limit } of all) {
      const of = typeof prompt === 'number' ? unique(prompt) : prompt
      const sequence = new Sequence(this.sequences.length, of, limit)
      this.sequences.push(sequence)
      this.kernel.schedule(Math.round(at_ms * 1e6), order.arrives, () => this.engine.submit(sequence))
    }
    return this
  }

  /** Until nothing is left to happen; the schedulers are audited after every event. */
  run(): this {
    while (this.kernel.step()) {
      for (const rank of this.ranks) rank.audit()
      assert(this.kernel.happened < 200_000, 'a run of a test comes to an end')
    }
    return this
  }

  stamps(): Record<'queued' | 'scheduled' | 'first' | 'last', number>[] {
    return this.sequences.map((one) => ({
      queued: one.queued_ns / 1e6,
      scheduled: one.scheduled_ns / 1e6,
      first: one.first_ns / 1e6,
      last: one.last_ns / 1e6,
    }))
  }
}

export const paged = (config: Partial<PagedConfig> = {}): PagedScheduler => {
  const whole = { ...pagedDefaults, blocks: 10_000, ...config }
  return new PagedScheduler({
    ...whole,
    maxModelTokens: Math.min(whole.maxModelTokens, whole.blocks * whole.blockTokens),
  })
}
