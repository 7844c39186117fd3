import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { latencyBucket, quantile } from './latency.ts'

const countsOf = (values: readonly number[]): Map<number, number> => {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(latencyBucket(value), (counts.get(latencyBucket(value)) ?? 0) + 1)
  return counts
}

test('a percentile from buckets is within 13 % of the one from the values, whatever they are', () => {
  const latencies = fc.array(fc.double({ min: 1, max: 900_000, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.99), (values, q) => {
      const sorted = values.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
      const found = quantile(countsOf(values), q) ?? 0
      assert(found >= exact / 1.13 && found <= exact * 1.13, `${found} for ${exact}`)
    }),
  )
})

test('longer is never in an earlier bucket; what is out of range is in the first or last; nothing has no percentile', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.double({ min: 0, max: 1e7, noNaN: true }), (a, b) => {
      assert(a <= b === true ? latencyBucket(a) <= latencyBucket(b) : latencyBucket(a) >= latencyBucket(b))
    }),
  )
  assert.equal(latencyBucket(0), 0)
  assert.equal(latencyBucket(1e9), latencyBucket(1e12))
  assert.equal(quantile(new Map(), 0.5), undefined)
  assert.equal(quantile(new Map([[3, 0]]), 0.5), undefined)
})
