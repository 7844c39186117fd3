import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanoDollars, parsePrice, price } from '../units/amount.ts'
import { id } from '../units/ids.ts'
import type { Balances } from './account.ts'
import { accounts, apply, balanceKey } from './account.ts'
import { chargesOf, costOf, post, refundOf } from './post.ts'
import type { PriceVersion } from './price.ts'
import { priceList, total } from './price.ts'
import { Rollup } from './rollup.ts'
import type { CloseRow, Outcome } from './row.ts'
import { StatementBuilder } from './statement.ts'
import { usageFrom } from './usage.ts'

const promised: PriceVersion = {
  version: 1,
  model: id('m'),
  effective_from_ms: 0,
  perMillion: priceList(price(37_500_001n), price(150_000_003n)),
  slo: 'interactive',
  refund: { ttft_ms: 2000, percent: 33 },
  note: '',
}
const row = (number: number, more: Partial<CloseRow> = {}): CloseRow => ({
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
  ttft_ms: 2001,
  stream: true,
  outcome: 'complete',
  attempts: [
    { number: 1, replica: id('r'), usage: usageFrom('engine', { input_uncached: 7 * number, output_visible: number }) },
  ],
  ...more,
})

for (const [what, more, missed] of [
  ['a first token later than promised', {}, true],
  ['one just in time', { ttft_ms: 2000 }, false],
  ['an answer that was not streamed', { stream: false }, false],
  ['an answer without a first token', { ttft_ms: null }, false],
  ['a client that left', { outcome: 'client_closed' as Outcome }, false],
  ['an answer that is not billed', { outcome: 'timeout' as Outcome }, false],
] as const)
  test(`${what}: ${missed ? 'a part of the charge comes back' : 'nothing comes back'}`, () => {
    const late = row(100, more)
    const refunds = post(late, promised).filter(({ id }) => id.endsWith('/refund'))
    assert.equal(refunds.length, missed ? 1 : 0)
    assert.equal(refundOf(late, promised) > 0n, missed)
    assert.deepEqual(post(late, promised), post(late, promised), 'the same for ever')
  })

test('a price without a promise gives nothing back', () => {
  const { refund: _, ...plain } = promised
  assert.equal(refundOf(row(1), plain), 0n)
  assert.equal(refundOf(row(1), undefined), 0n)
})

test('what an application owes is what its statement says, with refunds, rolled up or not; the books sum to zero', () => {
  const balances: Balances = new Map()
  const whole = new StatementBuilder('acme', 0, 10_000)
  const rolled = new Rollup()
  let [costs, refunded] = [0n, 0n]
  for (let number = 1; number <= 300; number++) {
    const one = row(number, { ttft_ms: 1000 + ((number * 7919) % 2000), stream: number % 3 > 0 })
    const transfers = post(one, promised)
    for (const transfer of transfers) apply(balances, transfer)
    whole.add(one, promised)
    rolled.request(one, promised, transfers)
    costs += costOf(one, promised)
    const refund = refundOf(one, promised)
    refunded += refund
    const charged = total(chargesOf(one, promised))
    if (refund > 0n) assert.equal(refund, nanoDollars((charged * 33n + 50n) / 100n))
  }
  assert(refunded > 0n)
  const held = (account: Parameters<typeof balanceKey>[1]): bigint =>
    balances.get(balanceKey('nano-USD', account)) ?? 0n
  assert.equal(held(accounts.tenant(id('acme'), id('app'))), -costs)
  assert.equal(held(accounts.refund(id('acme'), id('app'))), -refunded)
  for (const unit of ['nano-USD', 'token'])
    assert.equal(
      [...balances].filter(([key]) => key.startsWith(unit)).reduce((sum, [, amount]) => sum + amount, 0n),
      0n,
    )

  const again = new StatementBuilder('acme', 0, 10_000)
  for (const { requests, missing } of rolled.statements.requests.values()) again.count(requests, missing)
  for (const part of rolled.statements.parts.values()) again.part(part, promised)
  const statement = whole.done()
  assert.deepEqual(again.done(), statement)
  assert.equal(parsePrice(statement.total_usd), costs)
  assert.deepEqual(
    statement.refunds.map(({ slo, price_version, usd }) => [slo, price_version, parsePrice(usd)]),
    [['interactive', 1, refunded]],
  )
})
