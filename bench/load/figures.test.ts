import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../dice.ts'
import { median, percentile, spread } from './figures.ts'

test('a percentile is a value that occurred, and its share does not exceed it', () => {
  for (let seed = 0; seed < 200; seed++) {
    const chance = dice(seed)
    const values = Array.from({ length: chance.whole(1, 50) }, () => chance.whole(0, 20))
    const sorted = [...values].sort((a, b) => a - b)
    for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
      const at = percentile(sorted, share)
      const below = values.filter((value) => value <= at).length
      assert(values.includes(at) && below >= share * values.length, `seed ${seed}, ${share}`)
      const less = values.filter((value) => value < at).length
      assert(less < share * values.length, `seed ${seed}, ${share}: a smaller value would do`)
    }
    assert.equal(spread(values).most, sorted.at(-1))
  }
})

test('of nothing there is no percentile and no median', () => {
  assert.deepEqual([spread([]).n, spread([]).p50, median([])], [0, Number.NaN, Number.NaN])
})

test('the median stands in the middle, whatever is not a number', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.equal(median([Number.NaN, 7]), 7)
})
