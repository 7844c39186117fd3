import assert from 'node:assert/strict'
import { test } from 'node:test'
import { balanceKey } from '../../../books/account.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import { costDimensions } from '../../../books/cost-place.ts'
import { costOf } from '../../../books/post.ts'
import { siteOf } from '../../../books/row.ts'
import { id } from '../../../units/ids.ts'
import { check } from '../check.ts'
import { ingestJournal, journalReadTo, noteJournal } from '../ingest.ts'
import { Prices } from '../price-of.ts'
import { allBig, one } from '../query.ts'
import { standAt } from '../registry/sites.ts'
import { rollUp } from '../rollup.ts'
import { settledRow } from '../settled-row.ts'
import type { Store } from '../store.ts'
import { closeRow, gateway, journaled, measuredStore, testHome } from '../testing.ts'
import { costs } from './answer.ts'
import { closeHours } from './close-hours.ts'
import { declare } from './declarations.ts'
import { costOfRequest } from './of-request.ts'
import { asked, begin_ms, booked, farSite, first, hours, settle, usd } from './testing-hours.ts'

const day_ms = 24 * hour_ms

const held = (store: Store, account: string, unit = 'nano-USD'): bigint =>
  allBig<{ amount: bigint }>(
    store.database,
    'select amount from balance where account = ? and unit = ?',
    account,
    unit,
  ).reduce((sum, { amount }) => sum + amount, 0n)

test('every hour is posted to the nano-dollar, and what was declared is what is borne', () => {
  for (const seed of [1, 2, 3]) {
    using home = testHome()
    const { store } = booked(home, seed)
    assert.equal(held(store, 'capacity/gpu'), -7_200_000_000n, `seed ${seed}`)
    assert.equal(held(store, 'overhead/staff/ops'), -3_300_000_000n)
    assert.equal(held(store, 'cost/overhead/staff'), 3_300_000_000n)
    // 60 minutes of 10 kJ and a little: 600,001,770 mJ, 600,005,370 mJ and 600,008,970 mJ; × 1.25 × $0.08, $0.20, $0.08.
    const cents = (mj: bigint, price: bigint): bigint => (2n * mj * price * 125n + 360_000_000_000n) / 720_000_000_000n
    const due = cents(600_001_770n, 80_000_000n) + cents(600_005_370n, 200_000_000n) + cents(600_008_970n, 80_000_000n)
    assert.equal(held(store, 'electricity/board'), -due)
    assert(held(store, 'electricity/board', 'ugCO2e') < 0n)
    const found = check(store)
    assert.deepEqual([found.conserved, found.first_broken], [true, undefined], `seed ${seed}`)
    assert.equal(found.units.ugCO2e.residual, '0')

    const answer = costs(store, first, first + hours, 'tenant')
    const parts = [answer.usage_usd, answer.waste_usd, answer.idle_usd, answer.overhead_usd]
    const nano = (text: string): bigint => BigInt(Math.round(Number(text) * 1e9))
    assert.equal(
      parts.reduce((sum, text) => sum + nano(text), 0n),
      nano(answer.total_usd),
    )
    assert.equal(
      answer.rows.reduce((sum, { usd }) => sum + nano(usd), 0n),
      nano(answer.usage_usd),
    )
    assert(answer.waste.some(({ name }) => name === 'timeout'))
    store.close()
  }
})

test('by whatever it is told apart, the loaded lines are the total, and what they earned is the revenue', () => {
  using home = testHome()
  const { store, rows: requests } = booked(home, 8)
  store.database.exec("update engine set chips = 'h200:8' where name = 'gpu'")
  const nano = (text: string | null): bigint => BigInt(Math.round(Number(text) * 1e9))
  for (const by of costDimensions) {
    const answer = costs(store, first, first + hours, by, 40_000)
    const loaded = answer.rows.reduce((sum, { loaded_usd }) => sum + nano(loaded_usd), nano(answer.not_allocated_usd))
    assert.equal(loaded, nano(answer.total_usd), by)
    assert.equal(
      answer.rows.reduce((sum, { usd }) => sum + nano(usd), 0n),
      nano(answer.usage_usd),
      by,
    )
    if (by === 'source') continue
    const earned = answer.rows.reduce((sum, { figures }) => sum + (figures.revenue_usd.value ?? 0), 0)
    assert(earned > 0 && Math.abs(earned - (answer.figures.revenue_usd.value ?? 0)) < 1e-9, `${by}: ${earned}`)
    const tokens = answer.rows.reduce((sum, line) => sum + line.tokens, 0)
    assert.equal(
      tokens,
      answer.classes.reduce((sum, line) => sum + line.tokens, 0),
      by,
    )
  }
  const { figures, rows } = costs(store, first, first + hours, 'chip', 1000)
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['h200', 'not declared'],
  )
  // 3 hours of 10 kJ a minute and a little, × 1.25: 208.3 W of 1 kW.
  assert.match(figures.mean_power_w.unit, /× PUE$/)
  assert.equal(figures.mean_power_w.value?.toFixed(2), '208.34')
  assert.equal(figures.contracted_power_share.value?.toFixed(4), '0.2083')
  assert.equal(rows[0]?.figures.j_per_request.unit, 'J/request, drawn')

  const sites = costs(store, first, first + hours, 'site', 1000)
  const [far, main] = sites.rows
  assert.deepEqual([far?.name, main?.name, sites.rows.length], [farSite, 'main', 2])
  assert.deepEqual([far?.figures.energy_kwh.value, far?.figures.carbon_g.value], [null, null], 'nothing measures it')
  // All that the board drew, idle and all: 1,800,016,110 mJ.
  assert.equal(main?.figures.energy_kwh.value, 1_800_016.11 / 3.6e6)
  assert.equal(main.figures.carbon_g.value, sites.figures.carbon_g.value)
  const usdPerKwh = (main.figures.revenue_usd.value ?? 0) / (main.figures.energy_kwh.value ?? 1)
  assert.equal(main.figures.revenue_usd_per_kwh.value?.toFixed(12), usdPerKwh.toFixed(12))
  assert((main.figures.tokens_per_j.value ?? 0) > 0 && main.figures.tokens_per_j.unit === 'tokens/J, drawn')
  // What was earned there is measured: of requests that its engine answered, and of no other.
  const prices = new Prices(store.database)
  const paidFar = requests.filter((row) => siteOf(row) === farSite).map((row) => costOf(row, prices.of(1)))
  assert.equal(far?.figures.revenue_usd.value, Number(paidFar.reduce((sum, one) => sum + one, 0n)) / 1e9)
  store.close()
})

test('a meter and an engine that went to another site within the time are told by the hour', () => {
  using home = testHome()
  const { store } = booked(home, 8)
  const moved_ms = begin_ms + hour_ms + 20 * 60_000
  store.transaction(() => standAt(store, 'gpu', id('eu-south'), moved_ms))
  // A little while it measured an engine of the north as well: that hour is by where it stood in the end.
  store.database.exec(`insert into engine_meter (engine, meter, from_ms, until_ms) values
    ('far', 'board', ${begin_ms}, ${begin_ms + 60_000})`)
  const { rows } = costs(store, first, first + hours, 'site')
  const kwh = new Map(rows.map(({ name, figures }) => [name, figures.energy_kwh.value]))
  const own = new Map(rows.map(({ name, own_usd }) => [name, Number(own_usd)]))
  assert.deepEqual([...kwh.keys()], ['eu-north', 'eu-south', 'main'])
  assert.deepEqual([kwh.get('main'), kwh.get('eu-south')], [600_001.77 / 3.6e6, 1_200_014.34 / 3.6e6])
  assert((own.get('main') ?? 0) > 0 && (own.get('eu-south') ?? 0) > (own.get('main') ?? 0), 'its idle moves along')
  store.close()
})

test('what requests cost, one by one, comes to what was posted for all of them, but for half a nano-dollar each', () => {
  using home = testHome()
  const { store, rows } = booked(home, 4)
  let sum = 0n
  for (const row of rows) {
    const found = settledRow(store, row.id)
    assert(found)
    const cost = costOfRequest(store, found)
    assert(cost.final && cost.usd !== null)
    sum += BigInt(Math.round(Number(cost.usd) * 1e9))
  }
  const answer = costs(store, first, first + hours, 'model')
  const posted = BigInt(Math.round((Number(answer.usage_usd) + Number(answer.waste_usd)) * 1e9))
  const off = sum > posted ? sum - posted : posted - sum
  assert(off <= BigInt(rows.length * 3), `${sum} of the requests, ${posted} posted`)
  store.close()
})

test('a row that comes late and a declaration that was wrong are corrections; nothing that was posted is changed', () => {
  using home = testHome()
  const { store, rows } = booked(home, 5)
  const before = allBig<{ id: string }>(store.database, "select id from transfer where id >= 'cost/' and id < 'cost0'")
  const late = closeRow(900, { at_ms: begin_ms + 1000, closed_ms: begin_ms + 9000 }, id('gw2'))
  const [attempt] = late.attempts
  assert(attempt)
  noteJournal(store, id('gw2'))
  ingestJournal(store, id('gw2'), journaled([{ ...late, attempts: [{ ...attempt, replica: id('far') }] }]))
  const now_ms = begin_ms + hours * hour_ms + 60_000
  assert.equal(one<{ n: number }>(store.database, 'select count(*) as n from closed_hour where stale = 1')?.n, 1)
  journalReadTo(store, id('gw2'), now_ms)
  const hosted = held(store, 'hosted/far')
  settle(store, now_ms)
  assert.equal(held(store, 'hosted/far') - hosted, -36_000n, '120 in, 30 out, by the list of the provider')

  declare(store, { ...asked('capacity', 'gpu', usd(3.6)), from_ms: begin_ms + 2 * hour_ms }, now_ms)
  settle(store, now_ms)
  assert.equal(held(store, 'capacity/gpu'), -8_400_000_000n, '2.4 + 2.4 + 3.6')
  declare(store, asked('staff', 'ops', usd(0)), now_ms)
  settle(store, now_ms)
  assert.equal(held(store, 'cost/overhead/staff'), 0n)
  const after = new Set(allBig<{ id: string }>(store.database, 'select id from transfer').map((row) => row.id))
  assert(before.every(({ id }) => after.has(id)))
  assert.deepEqual(check(store).first_broken, undefined)
  assert(rows.length > 0)
  store.close()
})

test('the check names the first thing that does not add up', () => {
  using home = testHome()
  const { store } = booked(home, 6)
  store.database.exec("update cost_hour set amount = amount + 1 where source = 'capacity/gpu' and hour = 500017")
  const found = check(store)
  assert.equal(found.conserved, false)
  assert.match(JSON.stringify(found.first_broken), /500017\/capacity\/gpu.*2400000001.*2400000000/)
  store.close()
})

test('an hour waits for a request that is open, and for a cost nobody declared there is none', () => {
  using home = testHome()
  const store = measuredStore(home)
  const now_ms = begin_ms + 4 * hour_ms
  journalReadTo(store, gateway, now_ms)
  assert.equal(closeHours(store, now_ms), false)
  declare(store, asked('capacity', 'gpu', usd(1)), now_ms)
  const open = { ...closeRow(1), kind: 'open' as const, at_ms: begin_ms + hour_ms + 5, reserved_tokens: 1 }
  ingestJournal(store, gateway, journaled([open as never]))
  for (let turn = 0; turn < 10 && closeHours(store, now_ms); turn++);
  assert.equal(held(store, 'cost/idle/shared-pool'), 1_000_000_000n, 'the first hour is closed, the second waits')
  assert.equal(balanceKey('nano-USD', 'x' as never), 'nano-USD x')
  store.close()
})

test('rolled up, the days cost what their hours did', () => {
  using home = testHome()
  const { store } = booked(home, 7)
  const later_ms = begin_ms + 3 * day_ms
  settle(store, later_ms)
  const before = costs(store, first, first + 48, 'tenant')
  for (let turn = 0; turn < 100 && rollUp(store, begin_ms + 2 * day_ms); turn++);
  assert.deepEqual(check(store).first_broken, undefined)
  const kept = one<{ n: number }>(
    store.database,
    "select count(*) as n from transfer where id >= 'cost/' and id < 'cost0'",
  )
  assert((kept?.n ?? 0) > 0, 'the last day is kept whole')
  assert.equal(one<{ n: number }>(store.database, 'select count(*) as n from request')?.n, 0)
  const { rows, total_usd, usage_usd, idle_usd } = costs(store, first, first + 48, 'tenant')
  assert.deepEqual(
    [rows, total_usd, usage_usd, idle_usd],
    [before.rows, before.total_usd, before.usage_usd, before.idle_usd],
  )
  store.close()
})
