import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reached, retryAfter_ms, thresholds_percent } from './notice.ts'

const month = { amount: 1_000_000_000n, renews: 'month' } as const

test('a share is reached to the nano-dollar, and all below it with it', () => {
  assert.deepEqual(reached(month, 499_999_999n), [])
  assert.deepEqual(reached(month, 500_000_000n), [50])
  assert.deepEqual(reached(month, 799_999_999n), [50])
  assert.deepEqual(reached(month, 1_000_000_000n), [50, 80, 100])
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 18n), fc.bigInt(0n, 2n * 10n ** 18n), (amount, used) => {
      const found = reached({ amount, renews: 'never' }, used)
      assert.deepEqual(found, thresholds_percent.slice(0, found.length))
      for (const percent of thresholds_percent)
        assert.equal(found.includes(percent), used * 100n >= amount * BigInt(percent))
    }),
  )
})

test('what comes back by itself, and a budget of nothing, reaches no share', () => {
  assert.deepEqual(reached({ amount: 10n, renews: 'minute' }, 10n), [])
  assert.deepEqual(reached({ amount: 10n, renews: 'release' }, 10n), [])
  assert.deepEqual(reached({ amount: 0n, renews: 'day' }, 0n), [])
})

test('attempts become rarer, and end after some three days', () => {
  const waits = Array.from({ length: 12 }, (_, index) => retryAfter_ms(index + 1))
  const made = waits.filter((wait) => wait !== undefined)
  assert.deepEqual(
    made,
    [...made].sort((a, b) => a - b),
  )
  assert.equal(waits.at(-1), undefined)
  const days = made.reduce((sum, wait) => sum + wait, 0) / 86_400_000
  assert(days > 2 && days < 4, `${days} days`)
})
