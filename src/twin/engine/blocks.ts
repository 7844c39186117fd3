import { assert } from '../../units/assert.ts'
import type { Prompt } from '../workload/prompt.ts'
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
  /** Blocks in the free queue. */
  free: number
  /** Blocks taken from the free queue that had content which could have been hit. */
  evicted = 0

  /** Per run: blocks, how many of them are full and can be hit, holders, neighbours in the free queue, name. */
  #blocks = new Int32Array(256)
  #full = new Int32Array(256)
  #holders = new Int32Array(256)
  #before = new Int32Array(256)
  #after = new Int32Array(256)
  #name = new Int32Array(256)
  readonly #owner: (Sequence | undefined)[] = []
  readonly #spare: number[] = []
  #head = none
  #tail = none
  #runOf = new Int32Array(1024).fill(none)

  constructor(usable: number, blockTokens: number) {
    this.usable = usable
    this.blockTokens = blockTokens
    this.free = 0
    this.#freeNameless(usable)
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
      const run = this.#runOf[prompt.pieces[runs] ?? 0] ?? none
      if (run === none || this.#full[run] === 0) break
      const take = Math.min(this.#full[run] ?? 0, each, most - runs * each)
      whole = take === Math.min(each, most - runs * each)
      hit += take
      if (this.#holders[run] === 0) fromFree += this.#blocks[run] ?? 0
    }
    const ownHit =
      hit === most && sequence.own !== none ? Math.min(this.#blocks[sequence.own] ?? 0, sequence.ownCached) : 0
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
      const run = this.#runOf[sequence.prompt.pieces[piece] ?? 0] ?? none
      this.#hold(run)
      sequence.table.push(run)
      sequence.shared += Math.min(this.#blocks[run] ?? 0, each, most - piece * each)
    }
    const { own } = sequence
    if (own === none) return
    if (found.blocks > sequence.shared) {
      this.#hold(own)
      sequence.ownBlocks = this.#blocks[own] ?? 0
    } else this.#disown(sequence)
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
      if (full > (this.#full[run] ?? 0)) this.#full[run] = full
    }
  }

  /** Frees all that a sequence holds; what it computed stays to be hit until it is taken, by itself too if it `comesBack`. */
  release(sequence: Sequence, computed: number, comesBack: boolean): void {
    const full = Math.floor(Math.min(computed, sequence.known) / this.blockTokens)
    this.#releaseOwn(sequence, comesBack ? Math.max(0, full - sequence.shareable) : 0)
    const each = sequence.prompt.pieceTokens / this.blockTokens
    for (let piece = sequence.table.length - 1; piece >= 0; piece--) {
      const run = sequence.table[piece] ?? 0
      const holders = (this.#holders[run] ?? 0) - 1
      this.#holders[run] = holders
      if (holders > 0) continue
      // What was scheduled but will not be computed, since it was preempted before its step went off, is no content.
      if (computed < sequence.prompt.tokens)
        this.#full[run] = Math.min(this.#full[run] ?? 0, Math.max(0, full - piece * each))
      this.#freeRun(run)
    }
    sequence.table.length = 0
    sequence.shared = 0
  }

  /** It is over for good: its own run can never be hit again. */
  forget(sequence: Sequence): void {
    if (sequence.own !== none) this.#disown(sequence)
  }

  /** Free and held add up to all, nothing free is held, nothing held is free. */
  audit(holding: Iterable<Sequence>): void {
    let [free, held] = [0, 0]
    for (let run = this.#head; run !== none; run = this.#after[run] ?? none) {
      assert(this.#holders[run] === 0, 'a block in the free queue is held by nobody')
      assert((this.#blocks[run] ?? 0) > 0, 'a run in the free queue has blocks')
      free += this.#blocks[run] ?? 0
      assert(free <= this.usable, 'a run is in the free queue once')
    }
    const runs = new Set<number>()
    for (const sequence of holding) {
      for (const run of sequence.table) runs.add(run)
      if (sequence.ownBlocks > 0) runs.add(sequence.own)
      if (sequence.ownBlocks > 0)
        assert(this.#blocks[sequence.own] === sequence.ownBlocks, 'own blocks are counted once')
    }
    for (const run of runs) held += this.#blocks[run] ?? 0
    assert(free === this.free, `the free queue holds ${free} blocks, counted ${this.free}`)
    assert(free + held === this.usable, `${free} free + ${held} held = ${this.usable} usable`)
  }

  /** Blocks below `shared` that another sequence has computed or is computing: they are there already. */
  #foundBy(sequence: Sequence, shared: number): number {
    const each = sequence.prompt.pieceTokens / this.blockTokens
    let found = 0
    for (let piece = Math.floor(sequence.shared / each); piece * each < shared; piece++) {
      const run = sequence.table[piece] ?? this.#runOf[sequence.prompt.pieces[piece] ?? 0] ?? none
      if (run === none || (this.#holders[run] === 0 && sequence.table[piece] === undefined)) continue
      const there = Math.min(this.#blocks[run] ?? 0, shared - piece * each)
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
      const lacking = wanted - (this.#blocks[run] ?? 0)
      if (lacking > 0) {
        this.#take(lacking)
        this.#blocks[run] = wanted
      }
      sequence.shared = piece * each + wanted
    }
  }

  /** The run of a piece that goes on being computed: another's, or a new one. */
  #openRun(sequence: Sequence, piece: number): number {
    const name = sequence.prompt.pieces[piece] ?? 0
    let run = this.#runOf[name] ?? none
    if (run !== none && this.#holders[run] === 0) {
      this.#unname(run) // its beginning is gone, so nobody can hit it
      run = none
    }
    if (run === none) {
      run = this.#newRun(0)
      this.#name[run] = name
      if (name >= this.#runOf.length) this.#runOf = wider(this.#runOf, Math.max(name + 1, 2 * this.#runOf.length), none)
      this.#runOf[name] = run
    }
    this.#holders[run] = (this.#holders[run] ?? 0) + 1
    sequence.table.push(run)
    return run
  }

  #growOwn(sequence: Sequence, blocks: number): void {
    if (blocks <= 0) return
    this.#take(blocks)
    if (sequence.own === none) {
      sequence.own = this.#newRun(0)
      this.#owner[sequence.own] = sequence
      this.#holders[sequence.own] = 1
    }
    sequence.ownBlocks += blocks
    this.#blocks[sequence.own] = sequence.ownBlocks
  }

  /** Blocks from the head of the free queue, each run from its end. */
  #take(blocks: number): void {
    assert(blocks <= this.free, 'no more blocks are taken than are free')
    this.free -= blocks
    for (let left = blocks; left > 0; ) {
      const run = this.#head
      assert(run !== none, 'what is counted as free is in the queue')
      const size = this.#blocks[run] ?? 0
      const taken = Math.min(left, size)
      left -= taken
      this.evicted += Math.max(0, (this.#full[run] ?? 0) - (size - taken))
      this.#blocks[run] = size - taken
      this.#full[run] = Math.min(this.#full[run] ?? 0, size - taken)
      if (taken < size) continue
      this.#unlink(run)
      this.#dropRun(run)
    }
  }

  #hold(run: number): void {
    if (this.#holders[run] === 0) {
      this.#unlink(run)
      this.free -= this.#blocks[run] ?? 0
    }
    this.#holders[run] = (this.#holders[run] ?? 0) + 1
  }

  #releaseOwn(sequence: Sequence, cached: number): void {
    const { own } = sequence
    if (own === none || sequence.ownBlocks === 0) return
    this.#holders[own] = 0
    sequence.ownBlocks = 0
    sequence.ownCached = cached
    this.#full[own] = cached
    this.#freeRun(own)
  }

  /** To the tail of the free queue: first the blocks at the end that cannot be hit, then the rest. */
  #freeRun(run: number): void {
    const full = this.#full[run] ?? 0
    const useless = (this.#blocks[run] ?? 0) - full
    if (useless > 0) this.#freeNameless(useless)
    this.#blocks[run] = full
    if (full === 0) return this.#dropRun(run)
    this.#link(run)
    this.free += full
  }

  #freeNameless(blocks: number): void {
    this.free += blocks
    const last = this.#tail
    if (last !== none && this.#isNameless(last)) this.#blocks[last] = (this.#blocks[last] ?? 0) + blocks
    else this.#link(this.#newRun(blocks))
  }

  #isNameless = (run: number): boolean => this.#name[run] === none && this.#owner[run] === undefined

  /** Its blocks stay where they are in the free queue, but nobody can ask for them. */
  #disown(sequence: Sequence): void {
    const run = sequence.own
    sequence.own = none
    sequence.ownCached = 0
    this.#owner[run] = undefined
    this.#full[run] = 0
  }

  #unname(run: number): void {
    this.#runOf[this.#name[run] ?? 0] = none
    this.#name[run] = none
    this.#full[run] = 0
  }

  #link(run: number): void {
    this.#before[run] = this.#tail
    this.#after[run] = none
    if (this.#tail === none) this.#head = run
    else this.#after[this.#tail] = run
    this.#tail = run
  }

  #unlink(run: number): void {
    const [before, after] = [this.#before[run] ?? none, this.#after[run] ?? none]
    if (before === none) this.#head = after
    else this.#after[before] = after
    if (after === none) this.#tail = before
    else this.#before[after] = before
  }

  #newRun(blocks: number): number {
    const run = this.#spare.pop() ?? this.#owner.push(undefined) - 1
    if (run >= this.#blocks.length) this.#widen()
    this.#blocks[run] = blocks
    this.#full[run] = 0
    this.#holders[run] = 0
    this.#name[run] = none
    return run
  }

  #dropRun(run: number): void {
    const owner = this.#owner[run]
    if (owner) this.#disown(owner)
    if (this.#name[run] !== none) this.#unname(run)
    this.#spare.push(run)
  }

  #widen(): void {
    const length = 2 * this.#blocks.length
    this.#blocks = wider(this.#blocks, length)
    this.#full = wider(this.#full, length)
    this.#holders = wider(this.#holders, length)
    this.#before = wider(this.#before, length)
    this.#after = wider(this.#after, length)
    this.#name = wider(this.#name, length)
  }
}

/** What a look-up in the cache found; `blocks` may be one more than `tokens` has when nothing would be left to compute. */
export interface Found {
  readonly tokens: number
  readonly blocks: number
  readonly fromFree: number
  readonly runs: number
}

/** No run. */
const none = -1

function wider(from: Int32Array<ArrayBuffer>, length: number, rest = 0): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length).fill(rest)
  to.set(from)
  return to
}
