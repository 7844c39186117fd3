import type { Prompt } from '../workload/prompt.ts'

/** One attempt at an engine: what was asked, how far it is, and when what happened. Plain data, changed by its scheduler. */
export class Sequence {
  /** Whoever asked finds his request by it. */
  readonly tag: number
  readonly prompt: Prompt
  /** The limit that the engine is told. */
  most: number
  /** Where the answer really ends: before `most` by a stop token, which no scheduler can foresee. */
  length: number
  /** Lower goes first, where the policy is `priority`. */
  readonly priority: number

  state: 'arriving' | 'waiting' | 'running' | 'preempted' | 'over' = 'arriving'
  /** The rank of its engine that has it. */
  rank = 0
  /** Order of queueing. */
  turn = 0
  /** Tokens that were sampled and are known; sampled in a step under way; with keys and values in the cache, or scheduled to be. */
  out = 0
  pending = 0
  computed = 0
  /** Prompt tokens that its first admission found in the cache. */
  hit = 0
  /** Tokens that whoever asked was told of. */
  told = 0
  /** Number of output tokens that somebody wants to hear of at once, once: no leap passes it. */
  hearAt = Number.POSITIVE_INFINITY
  preemptions = 0

  /** Blocks of its prompt that may be shared with others. */
  shareable = 0
  /** Blocks it holds: of runs that may be shared, in order, then of its own. */
  readonly table: number[] = []
  shared = 0
  own = -1
  ownBlocks = 0
  /** Full blocks of its own run that were entered in the cache when it was preempted. */
  ownCached = 0

  arrived_ns = -1
  queued_ns = -1
  scheduled_ns = -1
  first_ns = -1
  last_ns = -1

  constructor(
    tag: number,
    prompt: Prompt,
    limit: { readonly most: number; readonly length?: number; readonly priority?: number },
  ) {
    this.tag = tag
    this.prompt = prompt
    this.most = limit.most
    this.length = Math.min(limit.length ?? limit.most, limit.most)
    this.priority = limit.priority ?? 0
  }

  /** No more tokens than the model's length leaves for the answer. */
  limit(most: number): void {
    this.most = Math.min(this.most, most)
    this.length = Math.min(this.length, most)
  }

  /** Tokens of prompt and answer that are known. */
  get known(): number {
    return this.prompt.tokens + this.out
  }

  get isOver(): boolean {
    return this.state === 'over'
  }
}
