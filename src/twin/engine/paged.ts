import { assert } from '../../units/assert.ts'
import { Blocks } from './blocks.ts'
import { goesOn, tell } from './leap.ts'
import { byPriority, Queue } from './queue.ts'
import type { Sequence } from './sequence.ts'
import type { Heard, Scheduler, Step } from './step.ts'

/** Set-points of a paged engine; the names are vLLM's. */
export interface PagedConfig {
  /** Tokens in one step, at most. */
  readonly maxBatchedTokens: number
  /** Sequences that run at once, at most. */
  readonly maxSequences: number
  readonly maxModelTokens: number
  /** Blocks of KV cache that sequences can hold: `num_gpu_blocks` less the null block. */
  readonly blocks: number
  readonly blockTokens: number
  readonly prefixCaching: boolean
  /** Admit only what fits whole, prompt and answer so far (`scheduler_reserve_full_isl`). */
  readonly reserveFullPrompt: boolean
  /** A longer prompt gets no more than this in one step; 0: no such limit. */
  readonly longPrefillTokens: number
  readonly policy: 'fcfs' | 'priority'
}

/** The defaults of `vllm serve` 0.19 on a card below 70 GiB. */
export const pagedDefaults: Omit<PagedConfig, 'blocks'> = {
  maxBatchedTokens: 2048,
  maxSequences: 256,
  maxModelTokens: 32_768,
  blockTokens: 16,
  prefixCaching: true,
  reserveFullPrompt: true,
  longPrefillTokens: 0,
  policy: 'fcfs',
}

/**
 * Token-budget continuous batching as vLLM v1 does it: what runs first, in order of admission, then what waits, looking at the
 * head only. There is no prefill and no decode phase: a sequence gets the tokens that it lacks. When blocks run out the last
 * one admitted is preempted, to be computed anew; then nothing is admitted in that step.
 */
export class PagedScheduler implements Scheduler {
  readonly config: PagedConfig
  blocks: Blocks
  readonly running: Sequence[] = []
  readonly #waiting: Queue
  /** Counts changes of `running`: steps of one version hold the same sequences. */
  #version = 0
  #turns = 0
  preemptions = 0

  constructor(config: PagedConfig) {
    assert(
      config.maxModelTokens <= config.blocks * config.blockTokens,
      'the KV cache holds one sequence of full length',
    )
    this.config = config
    this.blocks = new Blocks(config.blocks, config.blockTokens)
    this.#waiting = new Queue(config.policy)
  }

  get load(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#waiting.length, running: this.running.length }
  }

  accepts({ prompt }: Sequence): boolean {
    return prompt.tokens < this.config.maxModelTokens
  }

  queue(sequence: Sequence, now_ns: number): void {
    sequence.state = 'waiting'
    sequence.turn = ++this.#turns
    sequence.queued_ns = now_ns
    sequence.shareable = this.config.prefixCaching ? this.blocks.shareable(sequence.prompt) : 0
    sequence.limit(this.config.maxModelTokens - sequence.prompt.tokens)
    this.#waiting.add(sequence)
  }

  abort(sequence: Sequence): void {
    if (sequence.state === 'running') {
      this.running.splice(this.running.indexOf(sequence), 1)
      this.#version++
    } else this.#waiting.remove(sequence)
    this.#over(sequence)
  }

  compose(step: Step, now_ns: number, heard: Heard): boolean {
    const left = this.#composeRunning(step)
    if (!step.preempted) this.#composeWaiting(step, left, now_ns, heard)
    for (let at = 0; at < step.size; at++) {
      const sequence = step.sequences[at] as Sequence
      sequence.computed += step.tokens[at] ?? 0
      if (step.samples[at]) sequence.pending++
    }
    step.version = this.#version
    assert(step.total <= this.config.maxBatchedTokens, 'a step holds no more tokens than it may')
    assert(this.running.length <= this.config.maxSequences, 'no more sequences run than may')
    return step.size > 0
  }

  apply(step: Step, now_ns: number, heard: Heard): void {
    let over = 0
    for (let at = 0; at < step.size; at++) {
      const sequence = step.sequences[at] as Sequence
      if (!step.samples[at] || sequence.isOver) continue // a row of one that has ended is wasted, its token dropped
      sequence.out++
      sequence.pending--
      if (sequence.first_ns < 0) sequence.first_ns = now_ns
      const ended = sequence.out >= sequence.length
      if (sequence.out === 1 || ended || sequence.out >= sequence.hearAt) tell(sequence, heard)
      if (!ended) continue
      sequence.last_ns = now_ns
      if (sequence.state === 'preempted') this.#waiting.remove(sequence)
      else over++
      this.#over(sequence)
      heard.ended(sequence)
    }
    if (over > 0) this.#sweep()
  }

  steady(under: readonly Step[]): number {
    let steps = Number.POSITIVE_INFINITY
    for (const step of under)
      if (step.version !== this.#version || step.prefill > 0 || step.preempted || step.decodes !== this.running.length)
        return 0
    for (const one of this.running) steps = Math.min(steps, goesOn(one, under.length, this.config.maxModelTokens))
    if (steps < 1 || this.running.length === 0) return 0
    return this.#withinBlocks(steps)
  }

  leap(steps: number): void {
    for (const sequence of this.running) {
      sequence.out += steps
      sequence.computed += steps
      const grown = this.blocks.grow(sequence, sequence.computed)
      assert(grown, 'a leap needs no more blocks than are free')
    }
  }

  crash(): Sequence[] {
    const lost = [...this.running, ...this.#waiting.items()]
    for (const sequence of lost) this.#over(sequence)
    this.running.length = 0
    this.#waiting.clear()
    this.blocks = new Blocks(this.config.blocks, this.config.blockTokens)
    this.#version++
    return lost
  }

  audit(): void {
    this.blocks.audit(this.running)
    assert(this.running.length <= this.config.maxSequences, 'no more sequences run than may')
    for (const one of this.running) {
      assert(one.state === 'running', 'what runs is marked so')
      assert(one.computed <= (one.shared + one.ownBlocks) * this.config.blockTokens, 'what is computed has blocks')
      assert(one.pending >= 0 && one.pending <= 2, 'at most two tokens are under way')
    }
    for (const one of this.#waiting.items()) assert(one.table.length + one.ownBlocks === 0, 'what waits holds nothing')
  }

  /** What runs, in order; gives the tokens left of the budget. */
  #composeRunning(step: Step): number {
    let budget = this.config.maxBatchedTokens
    for (let at = 0; at < this.running.length && budget > 0; at++) {
      const sequence = this.running[at] as Sequence
      const tokens = this.#tokensFor(sequence, budget)
      if (tokens <= 0) continue
      while (!this.blocks.grow(sequence, sequence.computed + tokens)) {
        const victim = this.#preempt(step)
        budget += victim.budget
        if (victim.at < at) at--
        if (victim.sequence === sequence) return budget
      }
      this.#schedule(step, sequence, tokens)
      budget -= tokens
    }
    return budget
  }

  #composeWaiting(step: Step, left: number, now_ns: number, heard: Heard): void {
    let budget = left
    while (budget > 0 && this.running.length < this.config.maxSequences) {
      const sequence = this.#waiting.first
      if (!sequence) return
      const found = this.config.prefixCaching ? this.blocks.lookUp(sequence) : nothingFound
      const lacking = sequence.known + sequence.pending - found.tokens
      const tokens = Math.min(this.#clipped(lacking), budget)
      const whole = this.config.reserveFullPrompt ? sequence.known : found.tokens + tokens
      if (!this.blocks.hasRoom(whole, found)) return // the head waits, and all behind it with it

      this.#waiting.shift()
      this.#admit(sequence, now_ns)
      if (found.tokens > 0) this.blocks.hold(sequence, found)
      else this.blocks.forget(sequence)
      sequence.computed = found.tokens
      if (sequence.preemptions === 0) {
        sequence.hit = found.tokens
        heard.begun(sequence)
      }
      const grown = this.blocks.grow(sequence, found.tokens + tokens)
      assert(grown, 'what passed the gate has room')
      this.#schedule(step, sequence, tokens)
      budget -= tokens
    }
  }

  #admit(sequence: Sequence, now_ns: number): void {
    sequence.state = 'running'
    if (sequence.scheduled_ns < 0) sequence.scheduled_ns = now_ns
    this.running.push(sequence)
    this.#version++
  }

  /** A known limit of length costs no wasted step: with its last token under way it gets none. */
  #tokensFor(sequence: Sequence, budget: number): number {
    if (sequence.pending > 0 && sequence.out + sequence.pending >= sequence.most) return 0
    const lacking = sequence.known + sequence.pending - sequence.computed
    return Math.min(this.#clipped(lacking), budget, this.config.maxModelTokens - 1 - sequence.computed)
  }

  #clipped(tokens: number): number {
    const { longPrefillTokens } = this.config
    return longPrefillTokens > 0 ? Math.min(tokens, longPrefillTokens) : tokens
  }

  #schedule(step: Step, sequence: Sequence, tokens: number): void {
    const upTo = sequence.computed + tokens
    if (this.config.prefixCaching) this.blocks.fill(sequence, sequence.computed, upTo)
    step.add(sequence, tokens, upTo === sequence.known + sequence.pending)
  }

  /** The last one admitted (or the least urgent) gives up its blocks and goes to the head of the queue. */
  #preempt(step: Step): { sequence: Sequence; at: number; budget: number } {
    const at = this.config.policy === 'priority' ? this.#leastUrgent() : this.running.length - 1
    const [sequence] = this.running.splice(at, 1)
    assert(sequence, 'somebody runs who can be preempted')
    const budget = step.remove(sequence)
    this.blocks.release(sequence, sequence.computed, this.config.prefixCaching)
    sequence.computed = 0
    sequence.state = 'preempted'
    sequence.preemptions++
    this.#waiting.putBack(sequence)
    this.preemptions++
    this.#version++
    step.preempted = true
    return { sequence, at, budget }
  }

  #leastUrgent(): number {
    let least = 0
    for (let at = 1; at < this.running.length; at++)
      if (byPriority(this.running[at] as Sequence, this.running[least] as Sequence) > 0) least = at
    return least
  }

  #over(sequence: Sequence): void {
    if (sequence.state === 'running') this.blocks.release(sequence, sequence.computed, false)
    this.blocks.forget(sequence)
    sequence.state = 'over'
  }

  #sweep(): void {
    let kept = 0
    for (const one of this.running) if (!one.isOver) this.running[kept++] = one
    this.running.length = kept
    this.#version++
  }

  #withinBlocks(steps: number): number {
    if (this.blocks.needed(this.running, steps) <= this.blocks.free) return steps
    let [fits, tooMany] = [0, steps]
    while (tooMany - fits > 1) {
      const middle = Math.floor((fits + tooMany) / 2)
      if (this.blocks.needed(this.running, middle) <= this.blocks.free) fits = middle
      else tooMany = middle
    }
    return fits
  }
}

const nothingFound = { tokens: 0, blocks: 0, fromFree: 0, runs: 0 }
