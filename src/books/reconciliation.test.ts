import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDecimal } from '../units/amount.ts'
import type { InvoiceLine, Known } from './reconciliation.ts'
import { joinedInvoice, reconciliation } from './reconciliation.ts'

const period = { from_ms: 0, to_ms: 3_600_000 }
const earned = { tokens: 1000n, billed: 5_000_000n }
const nothing = { counts: [], crashed: 0n, earned, invoice: [] }
const kwh_mj = 3_600_000_000n

const compare = (line: Partial<InvoiceLine>, known: Known | undefined) => {
  const whole: InvoiceLine = { kind: 'engine', name: 'groq', quantity: undefined, charged: undefined, ...line }
  const made = reconciliation(period, { ...nothing, invoice: [[whole, known]] })
  const found = made.checks.at(-1) ?? assert.fail('it is there')
  return { ...found, sum: made.at_risk_usd, unpriced: made.without_price }
}

test('an invoice: what agrees is at no risk, what differs is worth its difference, either way', () => {
  const known = { quantity: 1_000_000n, cost: 2_000_000_000n }
  const cases: readonly (readonly [Partial<InvoiceLine>, Known | undefined, string | null, RegExp])[] = [
    [{ quantity: 1_000_000n, charged: 2_000_000_000n }, known, '0', /agrees/],
    [{ quantity: 1_100_000n, charged: 2_200_000_000n }, known, '0.2', /quantity/],
    [{ quantity: 900_000n, charged: 1_800_000_000n }, known, '0.2', /quantity/],
    [{ quantity: 1_000_000n, charged: 2_000_000_001n }, known, '0.000000001', /price/],
    [{ charged: 2_500_000_000n }, known, '0.5', /price/],
    [{ quantity: 1_500_000n }, known, '1', /mean cost/],
    [{ quantity: 1_000_000n }, known, '0', /mean cost/],
    [{ charged: 7_000_000_000n }, undefined, '7', /know nothing/],
    [{ quantity: 5n }, undefined, null, /know nothing/],
    [{ charged: 7_000_000_000n, quantity: 1n }, { quantity: 1n, cost: 0n }, '7', /costs set list/],
    [{ quantity: 2n }, { quantity: 1n, cost: 0n }, null, /costs set list/],
    [{ quantity: 2n, kind: 'energy' }, { quantity: 1n, cost: 0n }, null, /costs set tariff/],
  ]
  for (const [line, of, risk, note] of cases) {
    const { at_risk_usd, sum, unpriced, note: said } = compare(line, of)
    assert.deepEqual([at_risk_usd, sum, unpriced], [risk, risk ?? '0', risk === null ? 1 : 0], said)
    assert.match(said, note)
  }
})

test('tokens that nobody was billed for are worth what the others earned, rounded half up', () => {
  const made = reconciliation(period, {
    ...nothing,
    counts: [
      { engine: 'vllm', counted: 500n, foreign: 40n },
      { engine: 'clean', counted: 7n, foreign: 0n },
    ],
    crashed: 3n,
  })
  assert.deepEqual(
    made.checks.map(({ name, ours, theirs, difference, at_risk_usd }) => [name, ours, theirs, difference, at_risk_usd]),
    [
      ['vllm', '460', '500', '40', '0.0002'],
      ['clean', '7', '7', '0', '0'],
      ['own engines', '0', '3', '3', '0.000015'],
    ],
  )
  const free = reconciliation(period, { ...nothing, crashed: 3n, earned: { tokens: 0n, billed: 0n } })
  assert.deepEqual([free.checks[0]?.at_risk_usd, free.without_price], [null, 1], 'nothing says what a token is worth')
})

test('energy is shown in kWh, and a meter that says less differs below zero', () => {
  const { ours, theirs, difference } = compare(
    { kind: 'energy', name: 'wall', quantity: kwh_mj / 2n },
    { quantity: kwh_mj * 3n, cost: 3n },
  )
  assert.deepEqual([ours, theirs, difference], ['3', '0.5', '-2.5'])
})

test('lines of the same engine are one charge, and what is at risk adds up', () => {
  const lines = [1n, 2n, 3n].map((n): InvoiceLine => ({ kind: 'engine', name: 'a', quantity: n, charged: undefined }))
  const [joined, ...rest] = joinedInvoice([...lines, { kind: 'engine', name: 'a', quantity: undefined, charged: 4n }])
  assert.deepEqual([joined?.quantity, joined?.charged, rest.length], [6n, 4n, 0])
  for (let seed = 1; seed < 200; seed++) {
    const invoice = Array.from({ length: 1 + (seed % 7) }, (_, n): readonly [InvoiceLine, Known] => [
      { kind: 'engine', name: `e${n}`, quantity: BigInt(seed * n), charged: BigInt((seed * 7919 * (n + 1)) % 10_007) },
      { quantity: BigInt(seed), cost: BigInt((seed * 104_729) % 9973) },
    ])
    const { checks, at_risk_usd } = reconciliation(period, { ...nothing, crashed: BigInt(seed % 5), invoice })
    const sum = checks.reduce((all, one) => all + (parseDecimal(one.at_risk_usd ?? '0', 9) ?? 0n), 0n)
    assert.equal(parseDecimal(at_risk_usd, 9), sum, `seed ${seed}`)
    assert(checks.every((one) => !one.at_risk_usd?.startsWith('-')))
  }
})
