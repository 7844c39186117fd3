import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDollars, parsePrice, price } from '../units/amount.ts'
import type { ReplicaId, SiteId } from '../units/ids.ts'
import { id } from '../units/ids.ts'
import type { Balances, Transfer } from './account.ts'
import { accounts, apply, balanceKey } from './account.ts'
import { Findings } from './check.ts'
import { checkFocusRow } from './focus/check.ts'
import { focusRow } from './focus/rows.ts'
import { costOf, hitCharges, post } from './post.ts'
import type { PriceVersion } from './price.ts'
import { hitPrices, priceList, rate, total } from './price.ts'
import { receiptOf } from './receipt.ts'
import { otherwise } from './rerate.ts'
import { auditRolled, Rollup } from './rollup.ts'
import type { CloseRow } from './row.ts'
import { StatementBuilder } from './statement.ts'
import { tenantReceipt } from './tenant-receipt.ts'
import type { Usage } from './usage.ts'
import { tokenClasses, usageFrom } from './usage.ts'
import { usageEvent } from './usage-event.ts'

const counts = fc.record({
  input_uncached: fc.nat(5_000_000),
  cache_read: fc.option(fc.nat(9_000), { nil: undefined }),
  cache_write: fc.option(fc.nat(9_000), { nil: undefined }),
  output_visible: fc.nat(90_000),
  reasoning: fc.option(fc.nat(9_000), { nil: undefined }),
})
const perMillion = fc.bigInt(0n, 200_000_000_000n).map(price)
const version = (input: bigint, output: bigint, hit_percent?: number): PriceVersion => ({
  version: 1,
  model: id('m'),
  effective_from_ms: 0,
  perMillion: priceList(price(input), price(output)),
  note: '',
  ...(hit_percent && { hit_percent }),
})

const made = (number: number, usage: Usage, more: Partial<CloseRow> = {}): CloseRow => ({
  kind: 'close',
  id: id(`gw-${number}`),
  tenant: id('acme'),
  application: id('app'),
  key: id('k'),
  model: id('m'),
  price_version: 1,
  snapshot: 1,
  at_ms: 0,
  closed_ms: 1000,
  queued_ms: 0,
  ttft_ms: 1,
  stream: true,
  outcome: 'complete',
  attempts: [{ number: 1, replica: id('r'), usage }],
  ...more,
})
const hit = (number: number, usage: Usage, more: Partial<CloseRow> = {}): CloseRow =>
  made(number, usage, { attempts: [], cached: { from: id('gw-1'), usage }, ...more })

const money = (transfers: readonly Transfer[]): bigint =>
  transfers.reduce((sum, { unit, amount }) => (unit === 'nano-USD' ? sum + amount : sum), 0n)

const totalOf = (row: CloseRow, of: PriceVersion): string => {
  const statement = new StatementBuilder('acme', 0, 10_000)
  statement.add(row, of)
  return statement.done().total_usd
}

test('a hit costs the same streamed, whole and rated again, in the ledger, on the statement and as an event', () => {
  fc.assert(
    fc.property(counts, perMillion, perMillion, fc.integer({ min: 0, max: 100 }), (told, input, output, percent) => {
      const of = version(input, output, percent)
      const usage = usageFrom('provider', told)
      const streamed = hit(2, usage)
      const cost = costOf(streamed, of)
      assert.equal(costOf(hit(3, usage, { stream: false, ttft_ms: 9 }), of), cost, 'whole')
      assert.equal(money(post(streamed, of)), cost, 'the ledger')
      assert.equal(totalOf(streamed, of), formatDollars(cost), 'the statement')
      assert.equal(usageEvent(streamed, of).data.cost, formatDollars(cost), 'the event')
      const again = otherwise([{ model: 'm', perMillion: of.perMillion }])(streamed, of)
      assert.equal(costOf(streamed, again), cost, 'rated again')
      assert(
        post(streamed, of).every(({ unit }) => unit === 'nano-USD'),
        'no engine made a token',
      )
      assert(cost <= costOf(made(4, usage), of), 'never more than what was spared')
    }),
  )
})

test('at a hundred per cent a hit costs what it spared, at none and without a price nothing', () => {
  fc.assert(
    fc.property(counts, perMillion, perMillion, (told, input, output) => {
      const usage = usageFrom('engine', told)
      const whole = version(input, output, 100)
      assert.equal(costOf(hit(2, usage), whole), costOf(made(1, usage), whole))
      assert.equal(costOf(hit(2, usage), version(input, output)), 0n)
      assert.equal(costOf(hit(2, usage), undefined), 0n)
      assert.equal(costOf(hit(2, usage, { outcome: 'journal_unavailable' }), whole), 0n, 'nobody got it')
    }),
  )
})

test('the part is of the price, half up to a nano-dollar per million', () => {
  assert.equal(hitPrices(version(5n, 0n, 10)).input_uncached, 1n)
  assert.equal(hitPrices(version(4n, 0n, 10)).input_uncached, 0n)
  assert.equal(hitPrices(version(37_500_001n, 0n, 33)).input_uncached, 12_375_000n)
})

test('hits stand apart in accounts and lines, rolled up or not, and the books sum to zero', () => {
  const of = version(37_500_001n, 150_000_003n, 13)
  const balances: Balances = new Map()
  const whole = new StatementBuilder('acme', 0, 10_000)
  const rolled = new Rollup()
  let [costs, fromHits] = [0n, 0n]
  for (let number = 1; number <= 200; number++) {
    const usage = usageFrom('engine', { input_uncached: 7 * number, output_visible: number })
    const row = number % 3 === 0 ? hit(number, usage) : made(number, usage)
    const transfers = post(row, of)
    for (const transfer of transfers) apply(balances, transfer)
    whole.add(row, of)
    rolled.request(row, of, transfers)
    costs += costOf(row, of)
    fromHits += total(hitCharges(row, of).values())
  }
  const held = (account: Parameters<typeof balanceKey>[1]): bigint =>
    balances.get(balanceKey('nano-USD', account)) ?? 0n
  assert(fromHits > 0n)
  assert.equal(held(accounts.tenant(id('acme'), id('app'))), -costs)
  assert.equal(
    tokenClasses.reduce((sum, each) => sum + held(accounts.hitRevenue(id('m'), each)), 0n),
    fromHits,
  )
  const statement = whole.done()
  const cached = statement.lines.filter((line) => line.cached)
  assert.equal(
    cached.reduce((sum, { usd }) => sum + (parsePrice(usd) ?? 0n), 0n),
    fromHits,
  )
  assert.deepEqual(
    cached.map(({ class: each, requests, usd_per_million }) => [each, requests, usd_per_million]),
    [
      ['input_uncached', 66, '0.004875'],
      ['output_visible', 66, '0.0195'],
    ],
  )
  const again = new StatementBuilder('acme', 0, 10_000)
  for (const { requests, missing } of rolled.statements.requests.values()) again.count(requests, missing)
  for (const part of rolled.statements.parts.values()) again.part(part, of)
  assert.deepEqual(again.done(), statement)
  const findings = new Findings()
  const parts = rolled.statements.parts.values()
  auditRolled(findings, { transfers: rolled.transfers.values(), parts, intervals: [] })
  assert.equal(findings.first, undefined)
})

test('its lines are rows of FOCUS, each its own SKU, and a contract is compared with the public price of hits', () => {
  const [of, list] = [version(40_000_000n, 160_000_000n, 25), version(80_000_000n, 160_000_000n, 50)]
  const rolled = new Rollup()
  rolled.request(hit(2, usageFrom('engine', { input_uncached: 1_000_000, output_visible: 3 })), of, [])
  const terms = { provider: 'factory', slot_ms: 86_400_000 }
  const rows = [...rolled.statements.parts.values()].map((part) => focusRow(part, of, terms, list))
  assert.deepEqual(
    rows.map((row) => row && checkFocusRow(row)),
    [[], []],
  )
  const [input] = rows
  assert.deepEqual(
    [input?.BilledCost, input?.ContractedCost, input?.ListCost, input?.SkuId, input?.x_TokenClass],
    ['0.01', '0.01', '0.04', 'm/cache_hit/input_uncached', 'input_uncached'],
  )
})

test('an event names the tokens that a hit spared beside those that were made', () => {
  const of = version(40_000_000n, 160_000_000n, 25)
  const usage = usageFrom('engine', { input_uncached: 10, output_visible: 3 })
  const { tokens, cache_hit_tokens, cost } = usageEvent(hit(2, usage), of).data
  assert.deepEqual([tokens.input_uncached, tokens.output_visible], [0, 0])
  assert.deepEqual([cache_hit_tokens?.input_uncached, cache_hit_tokens?.reasoning], [10, null])
  assert.equal(cost, formatDollars(total(rate(usage, hitPrices(of)).values())))
  assert.equal(usageEvent(hit(2, usage), version(1n, 1n)).data.cache_hit_tokens, null)
})

test('an event and a receipt name the site that answered, of a hit that of the answer, and of a refusal none', () => {
  const site = id<SiteId>('eu-north')
  const usage = usageFrom('engine', {
    input_uncached: 5,
    cache_read: 0,
    cache_write: 0,
    output_visible: 1,
    reasoning: 0,
  })
  const attempts = [{ number: 1, replica: id<ReplicaId>('r'), site, usage }]
  const rows = [
    made(1, usage, { attempts }),
    hit(2, usage, { cached: { from: id('gw-1'), site, usage } }),
    made(3, usage),
    made(4, usage, { attempts: [], outcome: 'upstream_error' }),
  ]
  const expected = [site, site, 'main', null]
  assert.deepEqual(
    rows.map((row) => usageEvent(row, undefined).data.site),
    expected,
  )
  const receipts = rows.map((row) => receiptOf(row, undefined, { known: false, final: false, shares: [] }))
  assert.deepEqual(
    receipts.map((one) => one.site),
    expected,
  )
  assert.deepEqual(
    receipts.map((one) => (tenantReceipt(one) as { site?: unknown }).site),
    expected,
  )
  assert.deepEqual(
    receipts[0]?.attempts.map((one) => one.site),
    [site],
  )
})
