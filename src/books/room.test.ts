import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type RoomState, roomOf, roomText } from './room.ts'

const bounds = { most_bytes: 1000, least_free_bytes: 100 }
const held = (journal_bytes: number, engine_log_bytes = 0, free_bytes: number | null = 1e9) => ({
  journal_bytes,
  engine_log_bytes,
  free_bytes,
})
const bytes = fc.nat(2000)
const states = fc.constantFrom<RoomState>('ample', 'scarce', 'full')

test('at either bound nothing is admitted, and long before it is said', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, states, (journal, log, free, before) => {
      const { state, used } = roomOf(held(journal, log, free), bounds, before)
      if (journal + log >= bounds.most_bytes || free <= bounds.least_free_bytes) assert.equal(state, 'full')
      if (state === 'ample') assert(used < 0.8)
      if (state === 'full') assert(used >= 0.9)
    }),
  )
})

test('filling up, it is scarce before it is full; emptying, it opens once', () => {
  const seen: RoomState[] = []
  let state: RoomState = 'ample'
  for (const share of [0, 790, 800, 990, 1000, 950, 999, 905, 899, 910, 980, 700]) {
    state = roomOf(held(share), bounds, state).state
    seen.push(state)
  }
  const opened = ['scarce', 'scarce', 'scarce', 'ample']
  assert.deepEqual(seen, ['ample', 'ample', 'scarce', 'scarce', 'full', 'full', 'full', 'full', ...opened])
})

test('more held or less free never means more room', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, states, (journal, more, free, before) => {
      const rank = { ample: 0, scarce: 1, full: 2 }
      const of = (j: number, f: number): number => rank[roomOf(held(j, 0, f), bounds, before).state]
      assert(of(journal + more, free) >= of(journal, free))
      assert(of(journal, free) >= of(journal, free + more))
    }),
  )
})

test('a disk that does not say is not taken for a full one; the words name the bound that is near', () => {
  assert.equal(roomOf(held(1, 1, null), bounds, 'ample').state, 'ample')
  assert.match(roomText(roomOf(held(600, 300), bounds, 'ample')), /hold 900 B of 1000 B/)
  assert.match(roomText(roomOf(held(600, 300, 101), bounds, 'ample')), /101 B free on the disk, 100 B are kept free/)
})
