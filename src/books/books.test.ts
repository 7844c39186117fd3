import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parsePrice, price } from '../units/amount.ts'
import { attemptId, id } from '../units/ids.ts'
import { tokens } from '../units/quantity.ts'
import type { Balances } from './account.ts'
import { accounts, apply, balanceKey } from './account.ts'
import { post } from './post.ts'
import type { PriceVersion } from './price.ts'
import { charge, priceAt, priceList, rate, total } from './price.ts'
import type { CloseRow, OpenRow, Outcome } from './row.ts'
import type { EngineWork } from './settle.ts'
import { reconcile, settleDead, usageOfWork } from './settle.ts'
import type { Usage } from './usage.ts'
import { filledFrom, missingUsage, tokenClasses, totalTokens, usageFrom } from './usage.ts'

const anyUsage: fc.Arbitrary<Usage> = fc
  .record({
    input_uncached: fc.option(fc.nat(100_000), { nil: undefined }),
    cache_read: fc.option(fc.nat(100_000), { nil: undefined }),
    cache_write: fc.option(fc.nat(1000), { nil: undefined }),
    output_visible: fc.option(fc.nat(100_000), { nil: undefined }),
    reasoning: fc.option(fc.nat(1000), { nil: undefined }),
  })
  .map((counts) => usageFrom('engine', counts))

const version: PriceVersion = {
  version: 3,
  model: id('m'),
  effective_from_ms: 0,
  perMillion: priceList(parsePrice('0.05') ?? price(0n), parsePrice('0.2') ?? price(0n), {
    cache_read: parsePrice('0.0123') ?? price(0n),
  }),
  note: '',
}
const rowOf = (outcome: Outcome, usages: readonly Usage[]): CloseRow => ({
  kind: 'close',
  id: id('gw-1'),
  tenant: id('acme'),
  application: id('chat'),
  key: id('k'),
  model: id('m/with slash'),
  price_version: 3,
  snapshot: 1,
  at_ms: 1000,
  closed_ms: 2000,
  queued_ms: 0,
  ttft_ms: 5,
  stream: true,
  outcome,
  attempts: usages.map((usage, index) => ({ number: index + 1, replica: id(`r${index}`), usage })),
})
const outcomes: readonly Outcome[] = [
  'complete',
  'client_closed',
  'rejected',
  'upstream_error',
  'truncated',
  'timeout',
  'journal_unavailable',
  'denied',
  'crash',
]

test('posting: every unit sums to zero, what engines made is served or wasted, revenue equals the charges', () => {
  fc.assert(
    fc.property(fc.constantFrom(...outcomes), fc.array(anyUsage, { minLength: 1, maxLength: 3 }), (outcome, usages) => {
      const row = rowOf(outcome, usages)
      const transfers = post(row, version)
      const balances: Balances = new Map()
      for (const transfer of transfers) apply(balances, transfer)
      assert.equal(new Set(transfers.map((transfer) => transfer.id)).size, transfers.length, 'ids are unique')
      assert.equal(
        [...balances.values()].reduce((a, b) => a + b, 0n),
        0n,
      )
      const made = transfers.filter((one) => one.unit === 'token').reduce((sum, one) => sum + one.amount, 0n)
      assert.equal(made, BigInt(usages.reduce((sum, usage) => sum + totalTokens(usage), 0)))
      const billed = outcome === 'complete' || outcome === 'client_closed' || outcome === 'denied'
      const last = usages.at(-1)
      const due = billed && last ? total(rate(last, version.perMillion).values()) : 0n
      assert.equal(balances.get(balanceKey('nano-USD', accounts.tenant(row.tenant, row.application))) ?? 0n, -due)
      assert.deepEqual(post(row, version), transfers, 'the same for ever')
    }),
  )
})

test('a charge is exact to half a nano-dollar and never depends on how a usage was told', () => {
  assert.equal(charge(tokens(1), price(50_000_000n)), 50n)
  assert.equal(charge(tokens(3), price(12_300_000n)), 37n) // 36.9
  assert.equal(charge(tokens(0), price(12_300_000n)), 0n)
  const streamed = usageFrom('provider', { input_uncached: 7, output_visible: 9 })
  const whole = usageFrom('engine', { input_uncached: 7, output_visible: 9 })
  assert.deepEqual(rate(streamed, version.perMillion), rate(whole, version.perMillion))
})

test('zero is a value, missing is another: only what is missing is filled', () => {
  const told = usageFrom('provider', { output_visible: 0 })
  const filled = filledFrom(told, usageFrom('counted', { output_visible: 12, input_uncached: 4 }))
  assert.deepEqual(filled.output_visible, { tokens: 0, source: 'provider' })
  assert.deepEqual(filled.input_uncached, { tokens: 4, source: 'counted' })
  assert.equal(filled.reasoning, null)
  assert.equal(rate(missingUsage, version.perMillion).size, 0)
})

test('the price is the newest whose day has come', () => {
  const later = { ...version, version: 4, effective_from_ms: 500 }
  const same = { ...version, version: 5, effective_from_ms: 500 }
  const versions = [version, later, same]
  assert.equal(priceAt(versions, { model: id('m') }, 499)?.version, 3)
  assert.equal(priceAt(versions, { model: id('m') }, 500)?.version, 5)
  assert.equal(priceAt(versions, { model: id('other') }, 500), undefined)
})

const open: OpenRow = { ...rowOf('crash', []), kind: 'open', reserved_tokens: 100 } as unknown as OpenRow
const work = (more: Partial<EngineWork>): EngineWork => ({
  attempt: attemptId(id('gw-1'), 1),
  replica: id('r0'),
  model: 'm',
  input_uncached: 10,
  cache_read: 2,
  output: 5,
  last_ms: 1500,
  final: true,
  ...more,
})

test('a request whose gateway died is waste, as the engine logged it, and bills nothing', () => {
  const row = settleDead(open, [work({}), work({ attempt: attemptId(id('gw-1'), 2), output: 1 })], 9000)
  assert.equal(row.outcome, 'crash')
  assert.equal(row.closed_ms, 1500)
  const transfers = post(row, version)
  assert(transfers.every((transfer) => transfer.unit === 'token' && transfer.to.startsWith('waste/')))
  assert.equal(
    transfers.reduce((sum, transfer) => sum + transfer.amount, 0n),
    30n,
  )
  assert.equal(settleDead(open, [], 9000).closed_ms, 9000, 'nothing known: settled now')
})

test('reconciling: billed + waste = what the engine made; a log below the row is told', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(50), (rowIn, rowOut, logIn, logOut) => {
      const row = rowOf('upstream_error', [usageFrom('counted', { input_uncached: rowIn, output_visible: rowOut })])
      const { transfers, short } = reconcile(row, work({ input_uncached: logIn, cache_read: 0, output: logOut }))
      const beyond = transfers.reduce((sum, transfer) => sum + transfer.amount, 0n)
      assert.equal(BigInt(rowIn + rowOut) + beyond - BigInt(short), BigInt(logIn + logOut))
      assert.equal(short, Math.max(0, rowIn - logIn) + Math.max(0, rowOut - logOut))
    }),
  )
  const exact = rowOf('complete', [usageOfWork(work({}))])
  assert.deepEqual(reconcile(exact, work({})), { transfers: [], short: 0 })
})

test('the classes of a usage are all there are', () => {
  assert.deepEqual(Object.keys(missingUsage).sort(), [...tokenClasses].sort())
})
