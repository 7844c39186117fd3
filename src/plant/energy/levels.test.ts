import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { millijoules } from '../../units/amount.ts'
import { above, type Drawn, drawnWithin, leaves, levelInterval, type MeterPlace, subtree } from './levels.ts'

/** Intervals one after the other, from 0 on. */
const chain = (parts: readonly (readonly [ms: number, mj: number])[]): Drawn[] => {
  let at_ms = 0
  return parts.map(([ms, mj], at) => {
    const from_ms = at_ms
    at_ms += ms
    return { sequence: at + 1, from_ms, to_ms: at_ms, energy: millijoules(BigInt(mj)), reset: false }
  })
}

const part = fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 0, max: 9_000_000 }))
const intervals = fc.array(part, { minLength: 1, maxLength: 20 }).map(chain)

test('cut at any moments, the parts of an interval are the interval', () => {
  fc.assert(
    fc.property(intervals, fc.array(fc.integer({ min: 0, max: 800_000 }), { maxLength: 30 }), (its, cuts) => {
      const end_ms = its.at(-1)?.to_ms ?? 0
      const edges = [0, ...cuts.filter((cut) => cut < end_ms).sort((a, b) => a - b), end_ms]
      const sum = edges.slice(1).reduce((total, to_ms, at) => {
        return total + its.reduce((of, one) => of + drawnWithin(one, edges[at] ?? 0, to_ms), 0n)
      }, 0n)
      assert.equal(
        sum,
        its.reduce((total, { energy }) => total + energy, 0n),
      )
    }),
  )
})

test('Σ below + rest = upper in every interval, and over an hour booked − owed is the sum of the rests', () => {
  fc.assert(
    fc.property(intervals, fc.array(intervals, { minLength: 1, maxLength: 4 }), (uppers, boards) => {
      let [owed, booked, rests] = [0n, 0n, 0n]
      for (const upper of uppers) {
        const under = new Map(
          boards.map((its, at) => [
            `b${at}`,
            its.filter(({ from_ms, to_ms }) => to_ms > upper.from_ms && from_ms < upper.to_ms),
          ]),
        )
        const level = levelInterval(upper, under, owed)
        const below = level.below.reduce((sum, { energy_mj }) => sum + energy_mj, 0n)
        assert.equal(below + (level.rest_mj ?? 0n), upper.energy)
        assert(level.booked_mj >= 0n && level.owed_mj >= 0n && (level.booked_mj === 0n || level.owed_mj === 0n))
        const seen = boards.every((its) => (its.at(-1)?.to_ms ?? 0) >= upper.to_ms)
        assert.equal(level.state, seen ? 'whole' : 'below unseen')
        owed = level.owed_mj
        booked += level.booked_mj
        rests += level.rest_mj ?? 0n
      }
      assert.equal(booked - owed, rests)
    }),
  )
})

test('a gap or a new beginning below is unseen, and a new beginning above has no rest', () => {
  const [upper] = chain([[1000, 5000]])
  const [one, two] = chain([
    [400, 100],
    [600, 200],
  ])
  assert(upper && one && two)
  const state = (above: Drawn, ...its: Drawn[]) => levelInterval(above, new Map([['b', its]]), 7n)
  const seen = state(upper, one, two)
  assert.deepEqual([seen.state, seen.rest_mj, seen.booked_mj], ['whole', 4700n, 4693n])
  assert.equal(state(upper, { ...one, to_ms: 399 }, two).state, 'below unseen')
  assert.equal(state(upper, one, { ...two, reset: true }).state, 'below unseen')
  assert.equal(state(upper, two).state, 'below unseen')
  assert.deepEqual(state(upper).below, [{ meter: 'b', first: null, last: null, energy_mj: 0n }])
  const anew = state({ ...upper, reset: true }, one, two)
  assert.deepEqual([anew.state, anew.rest_mj, anew.booked_mj, anew.owed_mj], ['unseen', null, 0n, 7n])
})

test('a tree is looked up at a moment', () => {
  const place = (meter: string, below: string[], from_ms = 0, until_ms: number | null = null): MeterPlace => ({
    ...{ meter, below, from_ms, until_ms },
    level: meter === 'hall' ? 'facility' : 'host',
    rule: 'energy',
  })
  const places = [place('hall', ['a', 'b']), place('a', ['g1', 'g2'], 0, 500), place('a', ['g1'], 500)]
  assert.deepEqual(subtree(places, 'hall', 100), ['hall', 'a', 'b', 'g1', 'g2'])
  assert.deepEqual(leaves(places, 'hall', 500), ['b', 'g1'])
  assert.deepEqual(above(places, 'g2', 100), ['a', 'hall'])
  assert.deepEqual(above(places, 'g2', 500), [])
})
