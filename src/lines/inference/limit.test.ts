import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seconds, tokens } from '../../units/quantity.ts'
import { Bucket } from './limit.ts'
import { OutputLengths } from './reserve.ts'

test('never more than capacity + rate × t is let through', () => {
  const step = fc.record({ wait: fc.double({ min: 0, max: 20, noNaN: true }), amount: fc.integer({ min: 1, max: 50 }) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(step, { maxLength: 60 }), (perMinute, steps) => {
      const bucket = new Bucket(perMinute, seconds(0))
      let now = 0
      let passed = 0
      for (const { wait, amount } of steps) {
        now += wait
        if (bucket.delay(amount, seconds(now)) > 0) continue
        bucket.take(amount, seconds(now))
        passed += amount
        assert(passed <= perMinute + (perMinute * now) / 60 + 1e-6)
      }
    }),
  )
})

test('the delay told is enough, and not a second too long', () => {
  const bucket = new Bucket(60, seconds(0))
  bucket.take(60, seconds(0))
  assert.equal(bucket.delay(5, seconds(0)), 5)
  assert(bucket.delay(5, seconds(4.9)) > 0)
  assert.equal(bucket.delay(5, seconds(5)), 0)
  assert.equal(bucket.delay(61, seconds(0)), Number.POSITIVE_INFINITY, 'more than it ever holds')
})

test('debt is paid before anything passes, and a clock that goes back refills nothing', () => {
  const bucket = new Bucket(60, seconds(10))
  bucket.take(90, seconds(10))
  assert.equal(bucket.level(seconds(5)), -30)
  assert.equal(bucket.delay(1, seconds(10)), 31)
})

test('the reserve follows the answers, within a fifth', () => {
  const lengths = new OutputLengths()
  assert.equal(lengths.quantile(0.9, tokens(256)), 256)
  for (let n = 0; n < 1000; n++) lengths.learn(tokens(100))
  const reserved = lengths.quantile(0.9, tokens(256))
  assert(reserved >= 100 && reserved <= 120, `${reserved}`)
  for (let n = 0; n < 3000; n++) lengths.learn(tokens(10))
  assert(lengths.quantile(0.9, tokens(256)) <= 12, 'old answers fade')
})

test('a very long run neither overflows nor forgets', () => {
  const lengths = new OutputLengths()
  for (let n = 0; n < 100_000; n++) lengths.learn(tokens(50))
  assert(Math.abs(lengths.quantile(0.5, tokens(1)) - 50) < 12)
})
