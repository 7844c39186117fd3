import type { Sequence } from './sequence.ts'

/** One batch: which sequences are in it with how many tokens each, and what it adds up to. Reused, so that a step costs no garbage. */
export class Step {
  readonly sequences: Sequence[] = []
  /** Tokens computed for each. */
  readonly tokens: number[] = []
  /** Tokens whose keys and values each had before. */
  readonly contexts: number[] = []
  /** Whether each samples a token. */
  readonly samples: boolean[] = []
  /** A token after the first of an answer, alone in its step, is a decode; everything else is work on a prompt. */
  readonly isDecode: boolean[] = []
  /** Tokens of prompts (or of what is computed anew after a preemption), and the keys they look at. */
  prefill = 0
  pairs = 0
  /** Sequences that decode one token, and the keys and values that these read. */
  decodes = 0
  context = 0
  /** Something was preempted while it was composed. */
  preempted = false
  /** The scheduler's set of sequences that it was composed from. */
  version = -1
  end_ns = 0
  took_ns = 0

  clear(): void {
    this.sequences.length = 0
    this.tokens.length = 0
    this.contexts.length = 0
    this.samples.length = 0
    this.isDecode.length = 0
    this.prefill = 0
    this.pairs = 0
    this.decodes = 0
    this.context = 0
    this.preempted = false
    this.version = -1
  }

  add(sequence: Sequence, tokens: number, samples: boolean): void {
    this.sequences.push(sequence)
    this.tokens.push(tokens)
    this.contexts.push(sequence.computed)
    this.samples.push(samples)
    const isDecode = tokens === 1 && sequence.out + sequence.pending > 0
    this.isDecode.push(isDecode)
    this.#count(isDecode, tokens, sequence.computed, 1)
  }

  /** Takes a sequence out again that was preempted after it had got its tokens; gives how many. */
  remove(sequence: Sequence): number {
    const at = this.sequences.indexOf(sequence)
    if (at < 0) return 0
    const tokens = this.tokens[at] ?? 0
    this.#count(this.isDecode[at] ?? false, tokens, this.contexts[at] ?? 0, -1)
    for (const list of [this.sequences, this.tokens, this.contexts, this.samples, this.isDecode]) list.splice(at, 1)
    return tokens
  }

  get size(): number {
    return this.sequences.length
  }

  get total(): number {
    return this.prefill + this.decodes
  }

  #count(isDecode: boolean, tokens: number, context: number, sign: 1 | -1): void {
    if (isDecode) {
      this.decodes += sign
      this.context += sign * context
    } else {
      this.prefill += sign * tokens
      this.pairs += sign * (tokens * context + (tokens * (tokens + 1)) / 2)
    }
  }
}

/** One rank of an engine: decides what each step holds, and learns what came of it. Time and energy are the engine's. */
export interface Scheduler {
  readonly load: { readonly waiting: number; readonly running: number }
  /** False: it would never fit. */
  accepts(sequence: Sequence): boolean
  queue(sequence: Sequence, now_ns: number): void
  /** Leaves the queue or the batch at once; what a step under way holds of it is wasted. */
  abort(sequence: Sequence): void
  /** Fills the step; false: there is nothing to do now. */
  compose(step: Step, now_ns: number, heard: Heard): boolean
  /** The step is over: its tokens are known. */
  apply(step: Step, now_ns: number, heard: Heard): void
  /**
   * How many more steps would be composed just like those under way, with nothing else happening than a token for each
   * sequence: 0 when in doubt.
   */
  steady(under: readonly Step[]): number
  /** What that many such steps do, composed and over: the ends of the first of them lie behind. */
  leap(steps: number): void
  /** All that it holds is gone, the cache too. */
  crash(): Sequence[]
  /** Throws when an invariant is broken: for tests, too slow for runs. */
  audit(): void
}

/** What an engine says of its sequences, in the moment in which it becomes known. */
export interface Heard {
  /** Its first admission: `sequence.hit` tokens were found in the cache. */
  begun(sequence: Sequence): void
  /** Tokens can be read. */
  made(sequence: Sequence, tokens: number): void
  /** It has its last token, or was aborted. */
  ended(sequence: Sequence): void
  failed(sequence: Sequence, why: EngineTrouble): void
}

export type EngineTrouble = 'crashed' | 'context_length' | 'overloaded' | 'unreachable'
