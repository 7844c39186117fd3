import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costOf } from '../../books/post.ts'
import { priceList } from '../../books/price.ts'
import { formatDollars, parsePrice, price } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { receipt, statement } from './answers.ts'
import { check } from './check.ts'
import { focusRows } from './focus.ts'
import { ingestJournal } from './ingest.ts'
import { setPrice } from './registry/prices.ts'
import { requestsPage } from './requests.ts'
import { rerate } from './rerate.ts'
import { rollUp } from './rollup.ts'
import { openStore } from './store.ts'
import { closeRow, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'
import { usageEvents } from './usage-events.ts'

const start_ms = 20_000 * 86_400_000

test('an answer from the cache is a request in the books, with no tokens, no dollars and no joules', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const made = closeRow(1)
  const usage = made.attempts[0]?.usage ?? embeddedUsage(1, 1, 1)
  const hit = closeRow(2, { attempts: [], cached: { from: made.id, usage } })
  const statementOf = () => statement(store, id('acme'), 0, 10_000_000)
  ingestJournal(store, gateway, journaled([made]))
  const before = statementOf()
  ingestJournal(store, gateway, journaled([hit], 2))
  const { conserved, requests, quarantined } = check(store)
  assert.deepEqual([conserved, requests, quarantined], [true, 2, 0])

  const after = statementOf()
  assert.deepEqual(
    [after.requests, after.total_usd, after.requests_with_missing_counts],
    [2, before.total_usd, before.requests_with_missing_counts],
  )
  assert.deepEqual(after.lines, before.lines)

  const found = receipt(store, hit.id)
  assert(found?.state === 'settled')
  assert.deepEqual(found.cached, { from: made.id, usage, price: 'free', charges_usd: {} })
  assert.deepEqual([found.cost_usd, found.energy.energy_mj, found.energy.final], ['0', '0', true])
  assert.match(found.energy.attribution.how, /no engine worked/)
  const [line] = requestsPage(store, 1).requests
  assert.deepEqual([line?.cached, line?.cost_usd, line?.engine], [true, '0', null])
  store.close()
})

test('a hit that is priced is the same on statement, receipt, event and export, made again and rolled up; the audit agrees', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const version = setPrice(store, {
    model: id('m'),
    effective_from_ms: 0,
    perMillion: priceList(price(40_000_001n), price(160_000_003n)),
    hit_percent: 25,
    note: '',
  })
  const made = closeRow(1, { price_version: version.version, closed_ms: start_ms })
  const usage = made.attempts[0]?.usage ?? assert.fail()
  const hits = Array.from({ length: 40 }, (_, index) =>
    closeRow(index + 2, {
      price_version: version.version,
      attempts: [],
      cached: { from: made.id, usage },
      stream: index % 2 === 0,
      closed_ms: start_ms + index * 3_600_000,
    }),
  )
  ingestJournal(store, gateway, journaled([made, ...hits]))
  const [first] = hits
  const each = costOf(first ?? assert.fail(), version)
  assert(each > 0n)
  const days = [start_ms, start_ms + 2 * 86_400_000] as const
  const statementOf = () => statement(store, id('acme'), ...days)
  const spared = (of: ReturnType<typeof statementOf>) =>
    of.lines.filter((line) => line.cached).reduce((sum, { usd }) => sum + (parsePrice(usd) ?? 0n), 0n)
  assert.equal(spared(statementOf()), 40n * each)
  const { conserved, requests, lost, doubled, first_broken } = check(store)
  assert.deepEqual([conserved, requests, lost, doubled, first_broken], [true, 41, 0, 0, undefined])

  const found = receipt(store, first?.id ?? made.id)
  assert(found?.state === 'settled')
  assert.equal(found.cost_usd, formatDollars(each))
  assert.equal(found.cached?.price, '25 % of its tokens’ price')
  assert.equal(
    Object.values(found.cached?.charges_usd ?? {}).reduce((sum, usd) => sum + (parsePrice(usd) ?? 0n), 0n),
    each,
  )
  const events = usageEvents(store, {
    tenant: undefined,
    from_ms: 0,
    to_ms: days[1],
    after: undefined,
    limit: 100,
  }).events
  assert.equal(
    events.reduce((sum, { data }) => sum + (parsePrice(data.cost) ?? 0n), 0n),
    40n * each + costOf(made, version),
  )
  const exported = [...focusRows(store, { tenant: 'acme', from: 0, to: 1e6, by: 'hour', provider: 'p' })]
  const billed = exported.filter(({ SkuMeter }) => SkuMeter?.startsWith('cache_hit/'))
  assert.equal(
    billed.reduce((sum, { BilledCost }) => sum + (parsePrice(BilledCost ?? '') ?? 0n), 0n),
    40n * each,
  )
  const again = rerate(store, id('acme'), ...days)
  let step = again.next()
  while (!step.done) step = again.next()
  assert.deepEqual([step.value.equal, step.value.requests], [true, 41])

  const before = statementOf()
  while (rollUp(store, start_ms + 86_400_000));
  assert.deepEqual(statementOf(), before)
  assert.deepEqual([check(store).conserved, check(store).first_broken], [true, undefined])
  store.database.exec(
    "update rolled_part set amount = amount + 1 where cause = 'cache_hit' and class = 'output_visible'",
  )
  assert.equal(check(store).conserved, false, 'a sum that was changed is found')
  store.close()
})
