import { assert } from '../../units/assert.ts'
import type { Prompt } from '../workload/prompt.ts'
import { none, Runs } from './runs.ts'
import type { Sequence } from './sequence.ts'

/**
 * The KV cache of a paged engine: blocks, who holds them, and which free ones still hold a prefix that may be hit.
 *
 * As in vLLM v1: only full blocks can be hit, a hit is the longest unbroken run from the start, free blocks keep their
 * content until they are taken, and what is freed joins the free queue last block first, so that ends go before beginnings.
 *
 * Blocks are not kept one by one but as *runs*: blocks in a row with the same fate. A run is shared by name (a piece of a
 * prompt), a sequence's own (the rest of its prompt, and its answer), or nameless (content that nobody can ask for). The
 * free queue holds runs and is eaten from its head, each run from its end: block for block the same as one entry a block,
 * at a twentieth of the cost. One difference: two equal blocks computed at the same time are one block here, and two there.
 */
export class Blocks {
  readonly usable: number
  readonly blockTokens: number
  readonly #runs = new Runs()

  constructor(usable: number, blockTokens: number) {
    this.usable = usable
    this.blockTokens = blockTokens
    this.#runs.addNameless(usable)
  }

  /** Blocks in the free queue. */
  get free(): number {
    return this.#runs.free
  }

  /** Blocks taken from the free queue that had content which could have been hit. */
  get evicted(): number {
    return this.#runs.evicted
  }

  /** Blocks of a prompt that may be shared: the full ones of those that have a name. */
  shareable({ pieces, pieceTokens, tokens }: Prompt): number {
    if (pieces.length === 0) return 0
    assert(pieceTokens % this.blockTokens === 0, 'a piece is a whole number of blocks')
    return Math.min(Math.floor(tokens / this.blockTokens), (pieces.length * pieceTokens) / this.blockTokens)
  }

  /** Tokens of a sequence that a new admission would find, and how many blocks it would take out of the free queue for them. */
  lookUp(sequence: Sequence): Found {
    const { prompt } = sequence
    const each = prompt.pieceTokens / this.blockTokens
    const most = sequence.shareable
    let [hit, fromFree, runs] = [0, 0, 0]
    for (let whole = true; whole && hit < most; runs++) {
      const run = this.#runs.named(prompt.pieces[runs] ?? 0)
      if (run === none || this.#runs.full[run] === 0) break
      const take = Math.min(this.#runs.full[run] ?? 0, each, most - runs * each)
      whole = take === Math.min(each, most - runs * each)
      hit += take
      if (this.#runs.holders[run] === 0) fromFree += this.#runs.blocks[run] ?? 0
    }
    const ownHit =
      hit === most && sequence.own !== none ? Math.min(this.#runs.blocks[sequence.own] ?? 0, sequence.ownCached) : 0
    // At least one token is computed, or there would be nothing to sample from.
    const cap = Math.floor((sequence.known - 1) / this.blockTokens)
    return {
      tokens: Math.min(hit + ownHit, cap) * this.blockTokens,
      blocks: hit + ownHit,
      fromFree: fromFree + ownHit,
      runs,
    }
  }

  /** Whether `tokens` fit now, given what was found: new blocks, and those found that lie in the free queue. */
  hasRoom(tokens: number, found: Found): boolean {
    return Math.ceil(tokens / this.blockTokens) - found.blocks + found.fromFree <= this.free
  }

  /** Takes what was found out of the free queue, or holds it with others. */
  hold(sequence: Sequence, found: Found): void {
    const each = sequence.prompt.pieceTokens / this.blockTokens
    const most = sequence.shareable
    for (let piece = 0; piece < found.runs; piece++) {
      const run = this.#runs.named(sequence.prompt.pieces[piece] ?? 0)
      this.#runs.hold(run)
      sequence.table.push(run)
      sequence.shared += Math.min(this.#runs.blocks[run] ?? 0, each, most - piece * each)
    }
    const { own } = sequence
    if (own === none) return
    if (found.blocks > sequence.shared) {
      this.#runs.hold(own)
      sequence.ownBlocks = this.#runs.blocks[own] ?? 0
    } else this.#runs.disown(sequence)
  }

  /** Takes blocks until `tokens` fit; false, and nothing taken: there are not enough. */
  grow(sequence: Sequence, tokens: number): boolean {
    const target = Math.ceil(tokens / this.blockTokens)
    if (target <= sequence.shared + sequence.ownBlocks) return true
    const shared = Math.min(target, sequence.shareable)
    if (target - sequence.shared - sequence.ownBlocks - this.#foundBy(sequence, shared) > this.free) return false
    this.#growShared(sequence, shared)
    this.#growOwn(sequence, target - sequence.shared - sequence.ownBlocks)
    return true
  }

  /** Blocks that `steps` more tokens for each of these take. */
  needed(sequences: readonly Sequence[], steps: number): number {
    let blocks = 0
    for (const one of sequences) {
      const more = Math.ceil((one.computed + steps) / this.blockTokens) - one.shared - one.ownBlocks
      if (more > 0) blocks += more
    }
    return blocks
  }

  /** Everything up to `computed` is scheduled to be in the cache: full blocks with a name can be hit from now on. */
  fill(sequence: Sequence, from: number, computed: number): void {
    const each = sequence.prompt.pieceTokens / this.blockTokens
    const upTo = Math.min(Math.floor(computed / this.blockTokens), sequence.shared)
    for (let piece = Math.floor(Math.floor(from / this.blockTokens) / each); piece * each < upTo; piece++) {
      const run = sequence.table[piece] ?? 0
      const full = Math.min(upTo - piece * each, each)
      if (full > (this.#runs.full[run] ?? 0)) this.#runs.full[run] = full
    }
  }

  /** Frees all that a sequence holds; what it computed stays to be hit until it is taken, by itself too if it `comesBack`. */
  release(sequence: Sequence, computed: number, comesBack: boolean): void {
    const full = Math.floor(Math.min(computed, sequence.known) / this.blockTokens)
    this.#releaseOwn(sequence, comesBack ? Math.max(0, full - sequence.shareable) : 0)
    const each = sequence.prompt.pieceTokens / this.blockTokens
    for (let piece = sequence.table.length - 1; piece >= 0; piece--) {
      const run = sequence.table[piece] ?? 0
      const holders = (this.#runs.holders[run] ?? 0) - 1
      this.#runs.holders[run] = holders
      if (holders > 0) continue
      // What was scheduled but will not be computed, since it was preempted before its step went off, is no content.
      if (computed < sequence.prompt.tokens)
        this.#runs.full[run] = Math.min(this.#runs.full[run] ?? 0, Math.max(0, full - piece * each))
      this.#runs.release(run)
    }
    sequence.table.length = 0
    sequence.shared = 0
  }

  /** It is over for good: its own run can never be hit again. */
  forget(sequence: Sequence): void {
    if (sequence.own !== none) this.#runs.disown(sequence)
  }

  /** Free and held add up to all, nothing free is held, nothing held is free. */
  audit(holding: Iterable<Sequence>): void {
    const free = this.#runs.audit(this.usable)
    let held = 0
    const runs = new Set<number>()
    for (const sequence of holding) {
      for (const run of sequence.table) runs.add(run)
      if (sequence.ownBlocks > 0) runs.add(sequence.own)
      if (sequence.ownBlocks > 0)
        assert(this.#runs.blocks[sequence.own] === sequence.ownBlocks, 'own blocks are counted once')
    }
    for (const run of runs) held += this.#runs.blocks[run] ?? 0
    assert(free + held === this.usable, `${free} free + ${held} held = ${this.usable} usable`)
  }

  /** Blocks below `shared` that another sequence has computed or is computing: they are there already. */
  #foundBy(sequence: Sequence, shared: number): number {
    const each = sequence.prompt.pieceTokens / this.blockTokens
    let found = 0
    for (let piece = Math.floor(sequence.shared / each); piece * each < shared; piece++) {
      const run = sequence.table[piece] ?? this.#runs.named(sequence.prompt.pieces[piece] ?? 0)
      if (run === none || (this.#runs.holders[run] === 0 && sequence.table[piece] === undefined)) continue
      const there = Math.min(this.#runs.blocks[run] ?? 0, shared - piece * each)
      found += Math.max(0, there - Math.max(0, sequence.shared - piece * each))
    }
    return found
  }

  #growShared(sequence: Sequence, shared: number): void {
    const each = sequence.prompt.pieceTokens / this.blockTokens
    while (sequence.shared < shared) {
      const piece = Math.floor(sequence.shared / each)
      const run = sequence.table[piece] ?? this.#openRun(sequence, piece)
      const wanted = Math.min(each, shared - piece * each)
      const lacking = wanted - (this.#runs.blocks[run] ?? 0)
      if (lacking > 0) {
        this.#runs.take(lacking)
        this.#runs.blocks[run] = wanted
      }
      sequence.shared = piece * each + wanted
    }
  }

  /** The run of a piece that goes on being computed: another's, or a new one. */
  #openRun(sequence: Sequence, piece: number): number {
    const name = sequence.prompt.pieces[piece] ?? 0
    let run = this.#runs.named(name)
    if (run !== none && this.#runs.holders[run] === 0) {
      this.#runs.unname(run) // its beginning is gone, so nobody can hit it
      run = none
    }
    if (run === none) run = this.#runs.openNamed(name)
    else this.#runs.hold(run)
    sequence.table.push(run)
    return run
  }

  #growOwn(sequence: Sequence, blocks: number): void {
    if (blocks <= 0) return
    this.#runs.take(blocks)
    if (sequence.own === none) this.#runs.openOwn(sequence)
    sequence.ownBlocks += blocks
    this.#runs.blocks[sequence.own] = sequence.ownBlocks
  }

  #releaseOwn(sequence: Sequence, cached: number): void {
    const { own } = sequence
    if (own === none || sequence.ownBlocks === 0) return
    this.#runs.holders[own] = 0
    sequence.ownBlocks = 0
    sequence.ownCached = cached
    this.#runs.full[own] = cached
    this.#runs.release(own)
  }
}

/** What a look-up in the cache found; `blocks` may be one more than `tokens` has when nothing would be left to compute. */
export interface Found {
  readonly tokens: number
  readonly blocks: number
  readonly fromFree: number
  readonly runs: number
}
