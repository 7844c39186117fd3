import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../src/twin/random.ts'
import { unique } from '../../src/twin/workload/prompt.ts'
import { withinSteps } from './arrivals.ts'

const at = (ms: number, tokens: number) => ({ at_ns: ms * 1e6, prompt: unique(tokens), answer: 1 })
const recorded = [at(0, 1), at(0, 2), at(0, 3), at(2999, 4), at(3000, 5), at(6001, 6)]

test('who came in one step comes within it, in the order of the trace, by chance and the same for a seed', () => {
  const spread = (seed: number) => withinSteps(recorded, 3e9, randomFrom(seed)('within steps'))
  for (let seed = 0; seed < 50; seed++) {
    const times = spread(seed).map(({ at_ns }) => at_ns)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      `seed ${seed}`,
    )
    assert.deepEqual(
      times.map((time) => Math.floor(time / 3e9)),
      [0, 0, 0, 1, 1, 2],
      `seed ${seed}`,
    )
    assert.equal(new Set(times).size, 6, `seed ${seed}`)
    assert.deepEqual(
      spread(seed).map(({ prompt }) => prompt.tokens),
      [1, 2, 3, 4, 5, 6],
      `seed ${seed}`,
    )
  }
  assert.deepEqual(spread(7), spread(7))
  assert.notDeepEqual(spread(7), spread(8))
})

test('exact times stay as they are', () => {
  assert.equal(withinSteps(recorded, 0, randomFrom(1)('within steps')), recorded)
})
