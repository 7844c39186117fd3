import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseLane } from './slots.ts'

const lane = (held: readonly number[], cuttable = true) => ({ held, cuttable })

test('the longest common beginning wins, the emptier lane among equals', () => {
  const prompt = [1, 2, 3, 4]
  assert.equal(chooseLane([], prompt), undefined)
  assert.deepEqual(chooseLane([lane([1]), lane([1, 2, 9]), lane([])], prompt), { lane: 1, keep: 2 })
  assert.deepEqual(chooseLane([lane([1, 7, 7]), lane([1, 8]), lane([9])], prompt), { lane: 1, keep: 1 })
})

test('the last prompt token is always evaluated', () => {
  assert.deepEqual(chooseLane([lane([1, 2, 3])], [1, 2, 3]), { lane: 0, keep: 2 })
  assert.deepEqual(chooseLane([lane([1, 2, 3, 4])], [1]), { lane: 0, keep: 0 })
})

test('a cache that cannot be cut is continued or dropped', () => {
  assert.deepEqual(chooseLane([lane([1, 2, 3, 9], false)], [1, 2, 3, 4]), { lane: 0, keep: 0 })
  assert.deepEqual(chooseLane([lane([1, 2, 3], false)], [1, 2, 3, 4]), { lane: 0, keep: 3 })
})

test('no lane would have kept more', () => {
  const tokens = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 8 })
  fc.assert(
    fc.property(fc.array(tokens, { minLength: 1, maxLength: 5 }), tokens, (lanes, rest) => {
      const prompt = [0, ...rest]
      const choice = chooseLane(
        lanes.map((held) => lane(held)),
        prompt,
      )
      const best = Math.max(...lanes.map((held) => chooseLane([lane(held)], prompt)?.keep ?? 0))
      assert.equal(choice?.keep, best)
      assert.ok(best < prompt.length)
    }),
  )
})
