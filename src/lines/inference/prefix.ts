/**
 * Which replica has seen the beginning of a prompt lately: an approximate index, bounded in memory, that learns from what it
 * sends where. A prompt's beginnings are numbers, one for each block *and all before it* (a chained hash), so the longest
 * known one is found by halving.
 *
 * One flat table of (block, replica) pairs. Each replica counts the blocks it was sent; a pair carries that count from when
 * it was last sent. It is taken to be still in the replica's cache while not many more blocks were sent since than the cache
 * holds: least recently used, without lists. How many more is learned from what the replica finds: blocks that were sent twice
 * in between push out nothing, so it is above one. (Counting only blocks that were not there overrates what is, by half of all
 * blocks on sessions that do not fit; counting all of them at 1.3 is within some percent. See `prefix.test.ts`.)
 */
export class PrefixIndex {
  /** Three numbers a place, side by side so that a look touches memory once: hash of the pair (0: empty), check, stamp. */
  #table: Uint32Array
  #places: number
  #used = 0
  readonly #most: number
  /** Blocks given to each replica, and blocks that its cache holds. */
  readonly #given: number[] = []
  readonly #capacity: number[] = []
  /** Blocks sent, per block that its cache holds, until one is pushed out. */
  readonly #patience: number[] = []

  /** `most`: pairs at the most; 12 bytes each, and the table is at least a third empty. */
  constructor(most = 1 << 20) {
    this.#most = most
    this.#places = Math.min(1 << 12, largest(most))
    this.#table = new Uint32Array(3 * this.#places)
  }

  /** Bytes of the table. */
  get bytes(): number {
    return this.#table.byteLength
  }

  /** Blocks that the cache of a replica holds; none are known until it is said. */
  setCapacity(replica: number, blocks: number): void {
    this.#capacity[replica] = blocks
    this.#given[replica] ??= 0
    this.#patience[replica] ??= 1.3
  }

  /** Blocks from the start of a prompt that a replica is likely to have. */
  matched(replica: number, blocks: ArrayLike<number>): number {
    if (blocks.length === 0 || !this.#has(replica, blocks[0] ?? 0)) return 0
    // Whoever has a block has all before it, but for what was evicted in between: halving is right nearly always.
    let [low, high] = [1, blocks.length]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#has(replica, blocks[middle - 1] ?? 0)) low = middle
      else high = middle - 1
    }
    return low
  }

  /** A prompt goes to a replica: its blocks are the latest there now. `each`: of how many usual blocks each of them is. */
  sent(replica: number, blocks: ArrayLike<number>, each = 1): void {
    const given = (this.#given[replica] ?? 0) + Math.ceil(each * blocks.length)
    this.#given[replica] = given
    // The beginning is newer than the end, so that ends are forgotten first, as engines do.
    for (let at = 0; at < blocks.length; at++) this.#put(replica, blocks[at] ?? 0, given)
  }

  /** It has found so many blocks where so many were expected: what is forgotten is learned. */
  found(replica: number, expected: number, found: number): void {
    if (expected === found) return
    const patience = (this.#patience[replica] ?? 1.3) * (found > expected ? 1.02 : 0.98)
    this.#patience[replica] = Math.min(4, Math.max(0.25, patience))
  }

  /** A replica has lost its cache. */
  forget(replica: number): void {
    this.#given[replica] = (this.#given[replica] ?? 0) + Math.ceil(4 * (this.#capacity[replica] ?? 0)) + 1
  }

  #has(replica: number, block: number): boolean {
    const at = this.#find(mixed(block, replica), check(block, replica))
    return at >= 0 && this.#isFresh(replica, this.#table[at + 2] ?? 0)
  }

  #isFresh(replica: number, stamp: number): boolean {
    // Stamps are the low 32 bits of a count that goes on.
    return ((this.#given[replica] ?? 0) - stamp) >>> 0 < (this.#capacity[replica] ?? 0) * (this.#patience[replica] ?? 0)
  }

  /** Where a pair stands in the table; -1: nowhere. */
  #find(pair: number, second: number): number {
    const table = this.#table
    for (let at = this.#home(pair), probes = 0; probes < longestProbe; at = this.#after(at), probes++) {
      if (table[at] === 0) return -1
      if (table[at] === pair && table[at + 1] === second) return at
    }
    return -1
  }

  #put(replica: number, block: number, stamp: number): void {
    const [pair, second] = [mixed(block, replica), check(block, replica)]
    const table = this.#table
    let oldest = -1
    for (let at = this.#home(pair), probes = 0; probes < longestProbe; at = this.#after(at), probes++) {
      if (table[at] === 0) {
        this.#set(at, pair, second, stamp)
        if (++this.#used > (2 * this.#places) / 3) this.#grow()
        return
      }
      if (table[at] === pair && table[at + 1] === second) {
        table[at + 2] = stamp
        return
      }
      if (oldest < 0 || (table[at + 2] ?? 0) < (table[oldest + 2] ?? 0)) oldest = at
    }
    this.#set(oldest, pair, second, stamp)
  }

  #set(at: number, pair: number, second: number, stamp: number): void {
    this.#table[at] = pair
    this.#table[at + 1] = second
    this.#table[at + 2] = stamp
  }

  #grow(): void {
    if (this.#places >= largest(this.#most)) return // full: from now on the oldest nearby makes room
    const old = this.#table
    this.#places = Math.min(2 * this.#places, largest(this.#most))
    this.#table = new Uint32Array(3 * this.#places)
    this.#used = 0
    for (let from = 0; from < old.length; from += 3) {
      const pair = old[from] ?? 0
      if (pair === 0) continue
      const to = this.#free(pair)
      if (to < 0) continue
      this.#set(to, pair, old[from + 1] ?? 0, old[from + 2] ?? 0)
      this.#used++
    }
  }

  /** Where a pair is looked for first: its hash as a share of the table. */
  #home(pair: number): number {
    return 3 * Math.floor((pair / 2 ** 32) * this.#places)
  }

  #after(at: number): number {
    return at + 3 === this.#table.length ? 0 : at + 3
  }

  #free(pair: number): number {
    for (let at = this.#home(pair), probes = 0; probes < longestProbe; at = this.#after(at), probes++)
      if (this.#table[at] === 0) return at
    return -1
  }
}

/** A look-up ends after so many steps: in a table two thirds full it hardly ever needs more. */
const longestProbe = 24

/** Places for so many pairs: a third of them stays empty. */
const largest = (most: number): number => Math.ceil(1.5 * most)

/** murmur3's finalizer over both; never 0, which stands for empty. */
function mixed(block: number, replica: number): number {
  let hash = (block ^ Math.imul(replica + 1, 0x9e3779b1)) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0 || 1
}

/** Tells pairs apart whose first hash is the same. */
const check = (block: number, replica: number): number =>
  (Math.imul(block ^ (block >>> 15), 0x2c1b3c6d) + Math.imul(replica + 7, 0x297a2d39)) >>> 0

/** Characters in a block of a text, and the tokens that they are, about. */
const blockCharacters = 256
export const blockTokens = 64
const mostBlocks = 512

/**
 * The beginnings of a text, block by block: FNV-1a, 32 bits, chained. Two prompts of the same beginning have the same first
 * numbers; one in four billion others too, which costs a wrong guess and nothing else.
 */
export function beginningsOf(text: string): { readonly blocks: readonly number[]; readonly tokens: number } {
  const blocks: number[] = []
  let hash = 0x811c9dc5
  const end = Math.min(text.length, blockCharacters * mostBlocks)
  for (let at = 0; at < end; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
    if ((at + 1) % blockCharacters === 0) blocks.push(hash)
  }
  return { blocks, tokens: blockTokens }
}
