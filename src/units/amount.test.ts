import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { apportion, formatDecimal, parseDecimal, parsePrice } from './amount.ts'

test('decimal text survives a round trip', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.integer({ min: 0, max: 12 }), (value, places) => {
      assert.equal(parseDecimal(formatDecimal(value, places), places), value)
    }),
  )
})

test('prices are parsed exactly or not at all', () => {
  assert.equal(parsePrice('0.05'), 50_000_000n)
  assert.equal(parsePrice('7.5e-2'), 75_000_000n)
  assert.equal(parsePrice('0.0375'), 37_500_000n)
  assert.equal(parsePrice('0'), 0n)
  for (const bad of ['-1', '1e-10', '', 'abc', '1,5', '0x10', 'NaN', '1e999'])
    assert.equal(parsePrice(bad), undefined, bad)
})

test('shares add up to the whole and are off by less than one', () => {
  const weights = fc
    .array(fc.bigInt(0n, 10n ** 9n), { minLength: 1, maxLength: 40 })
    .filter((w) => w.some((x) => x > 0n))
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 12n), weights, (total, w) => {
      const shares = apportion(total, w)
      const sum = w.reduce((a, b) => a + b, 0n)
      assert.equal(
        shares.reduce((a, b) => a + b, 0n),
        total,
      )
      shares.forEach((share, i) => {
        const error = share * sum - total * (w[i] ?? 0n)
        assert(error < sum && error > -sum)
        if (w[i] === 0n) assert.equal(share, 0n)
      })
    }),
  )
})
