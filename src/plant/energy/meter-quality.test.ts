import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IntervalSums, meterQuality, overlapsOf, type Sight } from './meter-quality.ts'

const second = 1000
const sums = (more: Partial<IntervalSums> = {}): IntervalSums => ({
  intervals: 1000,
  first_ms: 0,
  last_ms: 1000 * second,
  measured_ms: 1000 * second,
  estimated_ms: 0,
  resets: 0,
  last_reset_ms: null,
  longest_ms: second,
  ...more,
})

const cases: readonly [string, IntervalSums | undefined, number, ReturnType<typeof states>][] = [
  ['read each second', sums(), 1001 * second, ['good', 1, 0]],
  ['a reading late', sums(), 1009 * second, ['good', 1, 0]],
  ['silent: what it misses counts up to now', sums(), 2000 * second, ['silent', 0.5, 1000]],
  ['an exporter that refreshes every 30 s', sums({ intervals: 33 }), 1080 * second, ['good', 1, 0]],
  ['reset', sums({ measured_ms: 900 * second, resets: 1 }), 1001 * second, ['gaps', 0.9, 100]],
  ['estimated is covered', sums({ measured_ms: 0, estimated_ms: 1e6 }), 1001 * second, ['good', 1, 0]],
  ['never read', undefined, 5, ['no reading', null, 0]],
]
const states = ({ state, coverage, unmetered_s }: ReturnType<typeof meterQuality>) => [state, coverage, unmetered_s]
for (const [what, seen, now_ms, expected] of cases)
  test(`quality of a meter: ${what}`, () => assert.deepEqual(states(meterQuality(seen, now_ms)), expected))

test('meters of one engine that may see the same joules are named, others are not', () => {
  const of = (...sights: Sight[]) =>
    overlapsOf(
      'e',
      sights.map((sight, at) => ({ name: `${sight}-${at}`, sight })),
    ).map(({ meters }) => meters)
  assert.deepEqual(of('board', 'board'), [])
  assert.deepEqual(of('query', 'query'), [])
  assert.deepEqual(of('declared', 'board'), [['declared-0', 'board-1']])
  assert.deepEqual(of('board', 'query', 'declared').length, 2)
})
