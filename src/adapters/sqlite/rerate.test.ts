import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../books/cost-hour.ts'
import { costOf } from '../../books/post.ts'
import { priceList } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import { siteOf } from '../../books/row.ts'
import { formatDollars, nanoDollars, price } from '../../units/amount.ts'
import type { ReplicaId, SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { statement } from './answers.ts'
import { check } from './check.ts'
import { ingestJournal } from './ingest.ts'
import { count } from './ledger.ts'
import { Prices } from './price-of.ts'
import { setPrice } from './registry/prices.ts'
import { rerate, whatIf } from './rerate.ts'
import { rollUp } from './rollup.ts'
import type { Store } from './store.ts'
import { openStore } from './store.ts'
import { closeRow, dice, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'

const day_ms = 24 * hour_ms
const start_ms = 20_000 * day_ms
const roll = dice(11)

const north = id<SiteId>('eu-north')
const hosted = { number: 1, replica: id<ReplicaId>('hosted') }

/** Requests of two tenants over three days: some wasted, some without a price, some late, some at a site with its own price. */
const rows = Array.from(
  { length: 300 },
  (_, index): CloseRow =>
    closeRow(index + 1, {
      tenant: id(`t${roll(2)}`),
      price_version: roll(6) === 0 ? null : index % 3 === 0 ? 2 : 1,
      outcome: roll(7) === 0 ? 'upstream_error' : 'complete',
      ttft_ms: roll(2) === 0 ? 1500 : 10,
      closed_ms: start_ms + roll(3 * day_ms),
      attempts: [
        { ...hosted, ...(index % 3 === 0 && { site: north }), usage: embeddedUsage(roll(900), roll(300), roll(200)) },
      ],
    }),
)
const [from_ms, to_ms] = [start_ms + 12_345, start_ms + 3 * day_ms]

function booked(): { readonly store: Store; [Symbol.dispose](): void } {
  const home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const perMillion = priceList(price(70_000_003n), price(300_000_007n))
  setPrice(store, { model: id('m'), effective_from_ms: 0, perMillion, site: north, note: '' })
  ingestJournal(store, gateway, journaled(rows))
  const end = (): void => {
    store.close()
    home[Symbol.dispose]()
  }
  return { store, [Symbol.dispose]: end }
}

function ended<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

const everything = (store: Store) =>
  ['request', 'transfer', 'balance', 'price', 'statement_part'].map((table) =>
    count(store.database, `select count(*) as n from ${table}`),
  )

test('a past statement made again is the same, whole and rolled up', () => {
  using books = booked()
  const { store } = books
  const before = everything(store)
  const again = ended(rerate(store, id('t0'), from_ms, to_ms))
  const mine = rows.filter(({ tenant, closed_ms }) => tenant === 't0' && closed_ms >= from_ms)
  assert.deepEqual(again, { equal: true, requests: mine.length, first_difference: null, days_by_sums: 0 })
  assert.deepEqual(everything(store), before, 'it changes nothing')
  while (rollUp(store, start_ms + day_ms));
  const rolled = ended(rerate(store, id('t0'), start_ms, to_ms))
  assert.deepEqual([rolled.equal, rolled.days_by_sums], [true, 1])
})

test('a sum that was changed is found, with its hour and its place', () => {
  using books = booked()
  const { store } = books
  store.database.exec(
    `update statement_part set amount = amount + 1 where tenant = 't1' and cause = '' and hour = (
      select max(hour) from statement_part where tenant = 't1' and cause = '' and amount > 0)`,
  )
  const { equal, first_difference: found } = ended(rerate(store, id('t1'), from_ms, to_ms))
  assert.equal(equal, false)
  assert.match(found?.at ?? '', /^lines\.\d+\.usd$/)
  assert.equal((found?.to_ms ?? 0) - (found?.from_ms ?? 0), hour_ms)
  assert.equal(ended(rerate(store, id('t0'), from_ms, to_ms)).equal, true)
})

test('under other prices each request is rated by itself, and nothing changes', () => {
  using books = booked()
  const { store } = books
  const before = everything(store)
  const perMillion = priceList(price(1_234_567n), price(7_654_321n))
  const other = { model: rows[0]?.model ?? '', perMillion }
  const done = ended(whatIf(store, id('t0'), start_ms, to_ms, [other]))
  const mine = rows.filter(({ tenant }) => tenant === 't0')
  const prices = new Prices(store.database)
  const sum = (of: (row: CloseRow) => bigint): string =>
    formatDollars(nanoDollars(mine.reduce((total, row) => total + of(row), 0n)))
  assert.equal(
    done.total_usd,
    sum((row) => costOf(row, prices.of(row.price_version ?? 0))),
  )
  const would = sum((row) => {
    const before = prices.of(row.price_version ?? 0)
    const head = { version: 9, model: row.model, effective_from_ms: 0, note: '' }
    return costOf(row, { ...head, perMillion, ...(before?.refund && { refund: before.refund }) })
  })
  assert.equal(done.would_be_usd, would)
  assert.notEqual(done.total_usd, done.would_be_usd)
  assert.deepEqual(everything(store), before)
  // The same prices at one site alone: what was answered elsewhere stays as it was.
  const one = ended(whatIf(store, id('t0'), start_ms, to_ms, [other], north))
  const there = sum((row) => {
    const before = prices.of(row.price_version ?? 0)
    if (siteOf(row) !== north) return costOf(row, before)
    const head = { version: 9, model: row.model, effective_from_ms: 0, note: '' }
    return costOf(row, { ...head, ...before, perMillion })
  })
  assert.equal(one.would_be_usd, there)
  assert.equal(new Set([one.would_be_usd, done.would_be_usd, done.total_usd]).size, 3)
  const same = ended(whatIf(store, id('t0'), start_ms, to_ms, []))
  assert.equal(same.would_be_usd, same.total_usd)
})

test('a statement tells sites apart, with the price of each, the same from sums, requests and days', () => {
  using books = booked()
  const { store } = books
  const whole = statement(store, id('t0'), start_ms, to_ms)
  const at = (site: string) => whole.lines.filter((line) => line.site === site && line.price_version !== null)
  assert.deepEqual([...new Set(whole.lines.map(({ site }) => site))].sort(), ['eu-north', 'main'])
  assert(at('eu-north').every((line) => line.price_version === 2 && line.slo === null))
  assert(at('main').every((line) => line.price_version === 1))
  assert.deepEqual(
    at('eu-north').map((line) => [line.class, line.usd_per_million]),
    [
      ['input_uncached', '0.070000003'],
      ['cache_read', '0.070000003'],
      ['output_visible', '0.300000007'],
    ],
  )
  while (rollUp(store, start_ms + 2 * day_ms));
  assert.deepEqual(statement(store, id('t0'), start_ms, to_ms), whole)
  assert.equal(check(store).conserved, true)
})
