import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dice } from '../../lines/models/dice.ts'
import { draw } from './draw.ts'
import type { Sampling } from './protocol.ts'

const whole: Sampling = { temperature: 1, top_k: 0, top_p: 1, min_p: 0 }
const likely = new Map([
  [7, 0.5],
  [3, 0.3],
  [9, 0.15],
  [1, 0.05],
  [4, 0],
])

/** Share of each token in many draws. */
function shares(sampling: Sampling, made: readonly number[] = []): Map<number, number> {
  const chance = dice(5)
  const counts = new Map<number, number>()
  const draws = 20_000
  for (let at = 0; at < draws; at++) {
    const token = draw(likely, sampling, made, chance)
    counts.set(token, (counts.get(token) ?? 0) + 1 / draws)
  }
  return counts
}

function near(found: Map<number, number>, expected: Readonly<Record<number, number>>): void {
  assert.deepEqual([...found.keys()].sort(), Object.keys(expected).map(Number).sort())
  for (const [token, share] of found) assert(Math.abs(share - (expected[token] ?? 0)) < 0.015, `${token}: ${share}`)
}

test('tokens are drawn as often as they are likely', () => {
  near(shares(whole), { 7: 0.5, 3: 0.3, 9: 0.15, 1: 0.05 })
  near(shares({ ...whole, top_k: 2 }), { 7: 0.625, 3: 0.375 })
  near(shares({ ...whole, top_p: 0.6 }), { 7: 0.625, 3: 0.375 })
  near(shares({ ...whole, min_p: 0.25 }), { 7: 0.526, 3: 0.316, 9: 0.158 })
  // p^(1/T), summed to one
  near(shares({ ...whole, temperature: 0.5 }), {
    7: 0.25 / 0.365,
    3: 0.09 / 0.365,
    9: 0.0225 / 0.365,
    1: 0.0025 / 0.365,
  })
})

test('penalties move a token, also to the first place; what a grammar forbids stays forbidden', () => {
  const greedy = { ...whole, temperature: 0 }
  const never = (): number => assert.fail()
  assert.equal(draw(likely, greedy, [], never), 7)
  assert.equal(draw(likely, { ...greedy, presence_penalty: -2 }, [9], never), 9)
  assert.equal(draw(likely, { ...greedy, presence_penalty: 1 }, [7], never), 3)
  assert.equal(draw(likely, { ...greedy, frequency_penalty: 0.3 }, [7], never), 7)
  assert.equal(draw(likely, { ...greedy, frequency_penalty: 0.3 }, [7, 7], never), 3)
})

test('whatever is asked, a token that may be drawn is drawn', () => {
  const number = (most: number) => fc.double({ min: 0, max: most, noNaN: true })
  fc.assert(
    fc.property(
      fc.record({
        temperature: number(2),
        top_p: number(1),
        min_p: number(1),
        top_k: fc.integer({ min: -1, max: 6 }),
        presence_penalty: number(2),
      }),
      fc.array(fc.constantFrom(1, 3, 7, 9)),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (sampling, made, chance) => {
        assert([7, 3, 9, 1].includes(draw(likely, sampling, made, () => chance)))
      },
    ),
    { numRuns: 2000 },
  )
})
