import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallRate } from './call-rate.ts'

const refused = { code: 'too_many_calls' }

test('a tenant is stopped by its calls or by the time that they took, until the minute is over, and no other is', () => {
  const rate = new CallRate()
  for (let call = 0; call < 600; call++) rate.count('acme', 1000)
  assert.throws(() => rate.count('acme', 59_999), refused)
  rate.count('rival', 59_999)
  rate.count('acme', 60_000)
  rate.took('acme', 5_999)
  rate.count('acme', 61_000)
  rate.took('acme', 2)
  assert.throws(() => rate.count('acme', 62_000), refused)
  rate.count('rival', 62_000)
  rate.count('acme', 120_000)
})
