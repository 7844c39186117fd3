import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nanoDollars } from '../units/amount.ts'
import { declaredCost, economicsOf, meterParts } from './economics.ts'

const span = (from_ms: number, until_ms: number | null, perHour: bigint) => ({
  engine: 'e',
  from_ms,
  until_ms,
  perHour: nanoDollars(perHour),
})
const hour = 3_600_000

test('declared cost counts for the time it was in force, and parts of a time add up to it', () => {
  const spans = [span(0, hour, 24_000_000_000n), span(hour, null, 12_000_000_000n)]
  assert.equal(declaredCost(spans, 0, 2 * hour), 36)
  assert.equal(declaredCost(spans, hour / 2, hour), 12)
  assert.equal(declaredCost(spans, 2 * hour, hour), 0)
  fc.assert(
    fc.property(fc.nat(2 * hour), fc.nat(2 * hour), fc.nat(2 * hour), (a, b, c) => {
      const [from = 0, middle = 0, to = 0] = [a, b, c].sort((x, y) => x - y)
      const parts = declaredCost(spans, from, middle) + declaredCost(spans, middle, to)
      assert(Math.abs(parts - declaredCost(spans, from, to)) < 1e-9)
    }),
  )
})

test('dollars per million tokens and joules per token, with both denominators', () => {
  const economics = economicsOf({
    engine: 'gpu',
    served: new Map([
      ['input_uncached', 600],
      ['cache_read', 200],
      ['output_visible', 150],
      ['reasoning', 50],
    ]),
    meters: [
      {
        sums: new Map([
          ['drawn/measured', 30_000_000],
          ['metered_ms', 100_000],
        ]),
        part: 0.5,
      },
      {
        sums: new Map([
          ['drawn/estimated', 5_000_000],
          ['metered_ms', 50_000],
        ]),
        part: 1,
      },
    ],
    cost: 0.1,
    seconds: 100,
  })
  assert.deepEqual(economics.usd_per_mtoken, { output: 500, all: 100 })
  assert.deepEqual(economics.j_per_token, { output: 100, all: 20 })
  assert.deepEqual([economics.output_tokens_per_s, economics.usd_per_h], [2, 3.6])
  assert.deepEqual([economics.power_w, economics.energy_grade], [250, 'estimated'])
})

test('what is not known is null: no tokens, no meter, no declared cost', () => {
  const idle = economicsOf({ engine: 'e', served: new Map(), meters: [], cost: 5, seconds: 10 })
  assert.deepEqual([idle.usd_per_mtoken, idle.j_per_token.all, idle.power_w], [{ output: null, all: null }, null, null])
  assert.equal(economicsOf({ engine: 'e', served: new Map(), meters: [], cost: undefined, seconds: 1 }).usd_per_h, null)
})

test('parts of a shared meter add up to it', () => {
  assert.deepEqual(meterParts([30, 10]), [0.75, 0.25])
  assert.deepEqual(meterParts([0, 0]), [0.5, 0.5])
})
