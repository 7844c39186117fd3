import { assert } from '../../units/assert.ts'
import type { Sequence } from './sequence.ts'

/** No run. */
export const none = -1

/**
 * Blocks in a row with the same fate, and the free queue of them: eaten from its head, each run from its end, joined at its
 * tail. A run is shared by name, a sequence's own, or nameless.
 */
export class Runs {
  /** Blocks in the free queue. */
  free = 0
  /** Blocks taken from the free queue that had content which could have been hit. */
  evicted = 0
  /** By run: blocks, how many of them are full and can be hit, who holds them. */
  blocks = new Int32Array(256)
  full = new Int32Array(256)
  holders = new Int32Array(256)
  #before = new Int32Array(256)
  #after = new Int32Array(256)
  #name = new Int32Array(256)
  readonly #owner: (Sequence | undefined)[] = []
  readonly #spare: number[] = []
  #head = none
  #tail = none
  #byName = new Int32Array(1024).fill(none)

  /** The run that has a name, if any of it is left. */
  named(name: number): number {
    return this.#byName[name] ?? none
  }

  /** A new, empty run that everybody may find by its name; it has one holder. */
  openNamed(name: number): number {
    const run = this.#new(0)
    this.holders[run] = 1
    this.#name[run] = name
    if (name >= this.#byName.length)
      this.#byName = wider(this.#byName, Math.max(name + 1, 2 * this.#byName.length), none)
    this.#byName[name] = run
    return run
  }

  /** A new, empty run of one sequence, which holds it. */
  openOwn(owner: Sequence): number {
    const run = this.#new(0)
    this.holders[run] = 1
    this.#owner[run] = owner
    owner.own = run
    return run
  }

  hold(run: number): void {
    if (this.holders[run] === 0) {
      this.#unlink(run)
      this.free -= this.blocks[run] ?? 0
    }
    this.holders[run] = (this.holders[run] ?? 0) + 1
  }

  /** To the tail of the free queue: first the blocks at the end that cannot be hit, then the rest. */
  release(run: number): void {
    const full = this.full[run] ?? 0
    const useless = (this.blocks[run] ?? 0) - full
    if (useless > 0) this.addNameless(useless)
    this.blocks[run] = full
    if (full === 0) return this.#drop(run)
    this.#link(run)
    this.free += full
  }

  addNameless(blocks: number): void {
    this.free += blocks
    const last = this.#tail
    const isNameless = last !== none && this.#name[last] === none && this.#owner[last] === undefined
    if (isNameless) this.blocks[last] = (this.blocks[last] ?? 0) + blocks
    else this.#link(this.#new(blocks))
  }

  /** Blocks from the head of the free queue. */
  take(blocks: number): void {
    assert(blocks <= this.free, 'no more blocks are taken than are free')
    this.free -= blocks
    for (let left = blocks; left > 0; ) {
      const run = this.#head
      assert(run !== none, 'what is counted as free is in the queue')
      const size = this.blocks[run] ?? 0
      const taken = Math.min(left, size)
      left -= taken
      this.evicted += Math.max(0, (this.full[run] ?? 0) - (size - taken))
      this.blocks[run] = size - taken
      this.full[run] = Math.min(this.full[run] ?? 0, size - taken)
      if (taken < size) continue
      this.#unlink(run)
      this.#drop(run)
    }
  }

  /** Its blocks stay where they are, but nobody can ask for them any more. */
  disown(owner: Sequence): void {
    const run = owner.own
    owner.own = none
    owner.ownCached = 0
    this.#owner[run] = undefined
    this.full[run] = 0
  }

  unname(run: number): void {
    this.#byName[this.#name[run] ?? 0] = none
    this.#name[run] = none
    this.full[run] = 0
  }

  /** Blocks in the free queue, counted one run after the other. */
  audit(most: number): number {
    let free = 0
    for (let run = this.#head; run !== none; run = this.#after[run] ?? none) {
      assert(this.holders[run] === 0, 'a block in the free queue is held by nobody')
      assert((this.blocks[run] ?? 0) > 0, 'a run in the free queue has blocks')
      free += this.blocks[run] ?? 0
      assert(free <= most, 'a run is in the free queue once')
    }
    assert(free === this.free, `the free queue holds ${free} blocks, counted ${this.free}`)
    return free
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

  #new(blocks: number): number {
    const run = this.#spare.pop() ?? this.#owner.push(undefined) - 1
    if (run >= this.blocks.length) this.#widen()
    this.blocks[run] = blocks
    this.full[run] = 0
    this.holders[run] = 0
    this.#name[run] = none
    return run
  }

  #drop(run: number): void {
    const owner = this.#owner[run]
    if (owner) this.disown(owner)
    if (this.#name[run] !== none) this.unname(run)
    this.#spare.push(run)
  }

  #widen(): void {
    const length = 2 * this.blocks.length
    this.blocks = wider(this.blocks, length)
    this.full = wider(this.full, length)
    this.holders = wider(this.holders, length)
    this.#before = wider(this.#before, length)
    this.#after = wider(this.#after, length)
    this.#name = wider(this.#name, length)
  }
}

function wider(from: Int32Array<ArrayBuffer>, length: number, rest = 0): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length).fill(rest)
  to.set(from)
  return to
}
