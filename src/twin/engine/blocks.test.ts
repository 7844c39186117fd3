import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../random.ts'
import { Beginnings, unique } from '../workload/prompt.ts'
import { Blocks } from './blocks.ts'
import { Sequence } from './sequence.ts'

interface Block {
  key: string | undefined
  holders: number
}

/** The same cache block by block, as its description has it: a list for the free queue, a map for what can be hit. */
class PlainBlocks {
  readonly free: Block[]
  readonly #cached = new Map<string, Block>()
  readonly #held = new Map<Sequence, Block[]>()

  constructor(usable: number) {
    this.free = Array.from({ length: usable }, () => ({ key: undefined, holders: 0 }))
  }

  hits(sequence: Sequence): number {
    const most = Math.floor((sequence.known - 1) / size)
    let hits = 0
    while (hits < most && this.#cached.has(keyOf(sequence, hits))) hits++
    return hits
  }

  hold(sequence: Sequence, hits: number): void {
    const blocks = Array.from({ length: hits }, (_, at) => this.#cached.get(keyOf(sequence, at)) as Block)
    for (const block of blocks) if (block.holders++ === 0) this.free.splice(this.free.indexOf(block), 1)
    this.#held.set(sequence, blocks)
  }

  grow(sequence: Sequence, tokens: number): boolean {
    const blocks = this.#held.get(sequence) ?? []
    const lacking = Math.ceil(tokens / size) - blocks.length
    if (lacking > this.free.length) return false
    for (let n = 0; n < lacking; n++) {
      const block = this.free.shift() as Block
      if (block.key !== undefined) this.#cached.delete(block.key)
      block.key = undefined
      block.holders = 1
      blocks.push(block)
    }
    this.#held.set(sequence, blocks)
    return true
  }

  fill(sequence: Sequence, computed: number): void {
    const full = Math.floor(Math.min(computed, sequence.known) / size)
    ;(this.#held.get(sequence) ?? []).slice(0, full).forEach((block, at) => {
      if (block.key !== undefined) return
      block.key = keyOf(sequence, at)
      assert(!this.#cached.has(block.key), 'the stories make no block twice at the same time')
      this.#cached.set(block.key, block)
    })
  }

  release(sequence: Sequence): void {
    for (const block of (this.#held.get(sequence) ?? []).toReversed()) if (--block.holders === 0) this.free.push(block)
    this.#held.delete(sequence)
  }
}

const size = 16
const pieceBlocks = 3

const keyOf = ({ tag, prompt }: Sequence, block: number): string => {
  const piece = prompt.pieces[Math.floor(block / pieceBlocks)]
  const isShared = piece !== undefined && block < Math.floor(prompt.tokens / size)
  return isShared ? `piece ${piece}, ${block % pieceBlocks}` : `sequence ${tag}, ${block}`
}

test('runs of blocks are block for block the cache that they stand for', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed, 'blocks')
    const usable = random.whole(30, 120)
    const [blocks, plain] = [new Blocks(usable, size), new PlainBlocks(usable)]
    const beginnings = new Beginnings()
    const running: Sequence[] = []
    const waiting: Sequence[] = []
    let tag = 0
    const admit = (sequence: Sequence, story: string): void => {
      const found = blocks.lookUp(sequence)
      const hits = plain.hits(sequence)
      assert.equal(found.tokens, hits * size, `${story}: found`)
      const fits = blocks.hasRoom(sequence.known, found)
      if (!fits) return void waiting.push(sequence)
      if (found.tokens > 0) blocks.hold(sequence, found)
      else blocks.forget(sequence)
      plain.hold(sequence, hits)
      assert(blocks.grow(sequence, sequence.known) && plain.grow(sequence, sequence.known), `${story}: room`)
      blocks.fill(sequence, found.tokens, sequence.known)
      plain.fill(sequence, sequence.known)
      sequence.computed = sequence.known
      sequence.out++ // the newest token has no keys and values yet
      running.push(sequence)
    }
    for (let step = 0; step < 150; step++) {
      const story = `seed ${seed}, step ${step}`
      const what = random.share()
      if (what < 0.35) {
        const tokens = random.whole(1, 300)
        // Not a whole number of blocks: of a prompt cached to its end vLLM makes the last block twice, and we do not.
        const length = tokens % size === 0 ? tokens + 1 : tokens
        const contents = Array.from({ length: Math.ceil(length / (size * pieceBlocks)) }, () => random.whole(0, 1))
        const shares = random.chance(0.8)
        const prompt = shares
          ? // Its last piece is its own where it is cut short: another's would be longer.
            {
              tokens: length,
              pieces: beginnings.name([...contents.slice(0, -1), `end ${tag}`]),
              pieceTokens: size * pieceBlocks,
            }
          : unique(length)
        const sequence = new Sequence(tag++, prompt, { most: 1e6 })
        sequence.shareable = blocks.shareable(prompt)
        admit(sequence, story)
      } else if (what < 0.55 && waiting.length > 0)
        admit(waiting.splice(random.whole(0, waiting.length - 1), 1)[0] as Sequence, story)
      else if (running.length > 0) {
        const at = random.whole(0, running.length - 1)
        const sequence = running[at] as Sequence
        if (what < 0.85) {
          const tokens = random.whole(1, 40)
          const grown = blocks.grow(sequence, sequence.computed + tokens)
          assert.equal(grown, plain.grow(sequence, sequence.computed + tokens), `${story}: grown`)
          if (grown) {
            sequence.out += tokens
            sequence.computed += tokens
            plain.fill(sequence, sequence.computed)
          }
        } else {
          running.splice(at, 1)
          const comesBack = random.chance(0.5)
          blocks.release(sequence, sequence.computed, comesBack)
          plain.release(sequence)
          sequence.computed = 0
          if (comesBack) waiting.push(sequence)
          else blocks.forget(sequence)
        }
      }
      assert.equal(blocks.free, plain.free.length, `${story}: free`)
      blocks.audit(running)
    }
  }
})
