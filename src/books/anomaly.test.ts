import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anomalyOf } from './anomaly.ts'

const usual = [10, 11, 9, 10, 12, 10, 9, 11, 10, 10]

test('an hour far from the same hour of other days is told, above and below, with how much it is', () => {
  assert.equal(anomalyOf(13, usual, 0), undefined)
  const much = anomalyOf(40, usual, 0)
  assert(much && much.usual === 10 && much.more === 30 && much.score > 10)
  const none = anomalyOf(0, usual, 0)
  assert(none && none.more === -10)
})

test('one bad day among the peers hides nothing, and small change is nobody’s concern', () => {
  assert(anomalyOf(40, [...usual, 5000], 0))
  assert.equal(anomalyOf(40, usual, 31), undefined)
})

test('days that were all alike make no cent unusual; and of few days nothing is known', () => {
  const alike = Array.from({ length: 10 }, () => 100)
  assert.equal(anomalyOf(104, alike, 0), undefined)
  assert(anomalyOf(140, alike, 0))
  assert.equal(anomalyOf(1e9, [1, 1, 1, 1], 0), undefined)
  const first = anomalyOf(5, [0, 0, 0, 0, 0], 0)
  assert(first && first.score === Number.POSITIVE_INFINITY, 'out of nothing')
})
