import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capitalRecovery, perHourOf, yearHours } from './capacity.ts'

test('the payments of a purchase, discounted, are worth what it cost less what is left of it', () => {
  for (const rate of [0, 0.04, 0.08, 0.15])
    for (const years of [1, 4, 6.5]) {
      const payment = capitalRecovery(rate, years)
      const worth = rate === 0 ? payment * years : (payment * (1 - (1 + rate) ** -years)) / rate
      assert(Math.abs(worth - 1) < 1e-12, `rate ${rate}, ${years} years: ${worth}`)
    }
})

test('straight line: $30,000 with $3,000 left after four years', () => {
  const expected = Math.round((27_000 / (4 * yearHours)) * 1e9)
  assert.equal(perHourOf({ capex_usd: 30_000, salvage_usd: 3000, years: 4, rate: 0 }), BigInt(expected))
})

test('capital has its price: 8 % over four years is CRF 0.30192', () => {
  assert.equal(capitalRecovery(0.08, 4).toFixed(5), '0.30192')
  assert.equal(perHourOf({ capex_usd: 30_000, salvage_usd: 0, years: 4, rate: 0.08 }), 1_033_975_358n)
})
