import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { beginningsOf, PrefixIndex } from './prefix.ts'

/** What the index stands for: each replica with a cache of its own, least recently used block out first. */
class Caches {
  readonly #caches: Map<number, true>[] = []
  constructor(replicas: number) {
    for (let replica = 0; replica < replicas; replica++) this.#caches.push(new Map())
  }

  matched(replica: number, blocks: readonly number[]): number {
    const at = blocks.findIndex((block) => !this.#caches[replica]?.has(block))
    return at < 0 ? blocks.length : at
  }

  sent(replica: number, blocks: readonly number[], capacity: number): void {
    const cache = this.#caches[replica] as Map<number, true>
    for (const block of [...blocks].reverse()) {
      cache.delete(block)
      cache.set(block, true)
    }
    while (cache.size > capacity) cache.delete(cache.keys().next().value as number)
  }
}

const prompt = fc.array(fc.nat(3), { minLength: 1, maxLength: 12 })
/** Chained names of a prompt's blocks. */
const chain = (contents: readonly number[]): number[] => {
  let name = 7
  return contents.map((content) => {
    name = (Math.imul(name, 31) + content + 1) >>> 0
    return name
  })
}

test('as long as nothing is evicted it is exact', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), prompt), { maxLength: 80 }), (sends) => {
      const index = new PrefixIndex()
      const caches = new Caches(4)
      for (let replica = 0; replica < 4; replica++) index.setCapacity(replica, 1e6)
      for (const [replica, contents] of sends) {
        const blocks = chain(contents)
        for (let other = 0; other < 4; other++)
          assert.equal(index.matched(other, blocks), caches.matched(other, blocks))
        index.sent(replica, blocks)
        caches.sent(replica, blocks, 1e6)
      }
    }),
  )
})

test('under eviction it is near a cache that forgets what was not used for longest', () => {
  const index = new PrefixIndex()
  const caches = new Caches(1)
  const capacity = 400
  index.setCapacity(0, capacity)
  let state = 1
  const roll = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  let [off, seen, hits] = [0, 0, 0]
  for (let n = 0; n < 5000; n++) {
    const session = roll(60) // 60 sessions of up to 16 blocks: more than fits
    const blocks = chain(Array.from({ length: 2 + roll(15) }, (_, at) => session * 100 + at))
    const [is, should] = [index.matched(0, blocks), caches.matched(0, blocks)]
    index.found(0, is, should)
    off += Math.abs(is - should)
    seen += blocks.length
    hits += should
    index.sent(0, blocks)
    caches.sent(0, blocks, capacity)
  }
  assert(hits > 0.2 * seen && hits < 0.9 * seen, 'a cache that always or never hits shows nothing')
  assert(off < 0.1 * seen, `off by ${off} of ${seen} blocks`)
})

test('its memory is bounded, and what is new finds room', () => {
  const index = new PrefixIndex(10_000)
  index.setCapacity(0, 1e9)
  for (let n = 0; n < 200_000; n++) index.sent(0, [n * 7919 + 1])
  assert(index.bytes <= 12 * 32_768, `${index.bytes} bytes`)
  let found = 0
  for (let n = 199_000; n < 200_000; n++) found += index.matched(0, [n * 7919 + 1])
  assert(found > 990, `${found} of the last 1000`)
})

test('a replica that has lost its cache has nothing', () => {
  const index = new PrefixIndex()
  index.setCapacity(0, 100)
  const { blocks } = beginningsOf('a'.repeat(5000))
  index.sent(0, blocks)
  assert.equal(index.matched(0, blocks), blocks.length)
  index.forget(0)
  assert.equal(index.matched(0, blocks), 0)
})

test('texts of one beginning have the same first numbers', () => {
  const [a, b] = [beginningsOf(`${'x'.repeat(1000)}a`.repeat(2)), beginningsOf(`${'x'.repeat(1000)}b`.repeat(2))]
  assert.deepEqual(a.blocks.slice(0, 3), b.blocks.slice(0, 3))
  assert.notEqual(a.blocks[3], b.blocks[3])
  assert.deepEqual(beginningsOf('short').blocks, [])
})
