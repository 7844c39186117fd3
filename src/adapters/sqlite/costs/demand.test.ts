import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../../books/cost-hour.ts'
import { demandAnswer } from '../../../books/demand-answer.ts'
import { millijoules, nanoDollars } from '../../../units/amount.ts'
import { check } from '../check.ts'
import { closeIntervals } from '../close-intervals.ts'
import { journalReadTo } from '../ingest.ts'
import { insertInterval } from '../intervals.ts'
import { allBig } from '../query.ts'
import { rollUp } from '../rollup.ts'
import type { Store } from '../store.ts'
import { gateway, measuredStore, testHome } from '../testing.ts'
import { costs } from './answer.ts'
import { closeHours } from './close-hours.ts'
import { declarations, declare } from './declarations.ts'
import { chargedMonths } from './demand.ts'

/** The first of a month of 30 days. */
const begin_ms = Date.UTC(2027, 3, 1)
const first = begin_ms / hour_ms
const month_h = 720

function metered(store: Store, hour: number, sequence: number, kW: number, meter = 'board'): void {
  for (let quarter = 0; quarter < 4; quarter++) {
    const from_ms = (first + hour) * hour_ms + quarter * 900_000
    insertInterval(store, {
      meter,
      sequence: sequence * 4 + quarter,
      from_ms,
      to_ms: from_ms + 900_000,
      energy: millijoules(BigInt(Math.round((quarter === 2 ? kW : 0.5) * 900_000_000))),
      idle: millijoules(0n),
      grade: 'measured',
      reset: false,
    })
  }
}

const charge = (store: Store, rule: 'even' | 'peak', usd: bigint): void => {
  const terms = { per: 'kW', amount: nanoDollars(usd), interval_min: 15, offset_min: 0, rule } as const
  declare(store, { kind: 'demand', name: 'all', from_ms: begin_ms, terms, note: '' }, begin_ms + hour_ms)
}

function settle(store: Store, hours: number): void {
  const now_ms = begin_ms + hours * hour_ms + 5000
  journalReadTo(store, gateway, now_ms)
  while (closeIntervals(store, now_ms));
  for (let turn = 0; turn < 2000 && closeHours(store, now_ms); turn++);
}

const borne = (store: Store): string => costs(store, first, first + month_h, 'source').overhead[0]?.usd ?? '0'
const ids = (store: Store): string[] =>
  allBig<{ id: string }>(store.database, "select id from transfer where id >= 'cost/'").map((row) => row.id)

test('hours bear the peak of their month evenly; when it grows the earlier ones are corrected, and nothing posted is changed', () => {
  using home = testHome()
  const store = measuredStore(home)
  charge(store, 'even', 10_000_000_000n)
  for (let hour = 0; hour < 3; hour++) metered(store, hour, hour + 1, 3.6)
  settle(store, 3)
  assert.equal(borne(store), '0.15', '3.6 kW × $10 ÷ 720 × 3 h')
  const before = ids(store)
  metered(store, 3, 4, 7.2)
  settle(store, 4)
  assert.equal(borne(store), '0.4', '7.2 kW × $10 ÷ 720 × 4 h')
  const after = new Set(ids(store))
  assert(before.every((id) => after.has(id)))
  assert.equal(after.size, before.length + 4, 'three corrections, and the hour')
  assert.equal(check(store).first_broken, undefined)

  const [month, ...others] = chargedMonths(store, declarations(store)).map(demandAnswer)
  assert.deepEqual(
    [month?.peak_kw.value, month?.peak_at, month?.charge_usd, month?.posted_usd, month?.hours_closed, others],
    [7.2, '2027-04-01T03:30:00.000Z', '72', '0.4', 4, []],
  )
  settle(store, month_h)
  assert.equal(borne(store), '72', 'the month is over')
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('by the other rule those hours bear it that raised the peak, and no other', () => {
  using home = testHome()
  const store = measuredStore(home)
  charge(store, 'peak', 10_000_000_000n)
  for (const [hour, kW] of [2, 3, 1, 4.5, 4.5].entries()) metered(store, hour, hour + 1, kW)
  settle(store, 5)
  const byHour = costs(store, first, first + 5, 'hour')
  const loaded = byHour.rows.map(({ name, own_usd }) => [name.slice(11, 13), own_usd])
  assert.deepEqual(loaded, [
    ['00', '20'],
    ['01', '10'],
    ['03', '15'],
  ])
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('a charge that was wrong, a PUE that comes late, and one that ends are corrections of all their hours', () => {
  using home = testHome()
  const store = measuredStore(home)
  charge(store, 'even', 10_000_000_000n)
  for (let hour = 0; hour < 6; hour++) metered(store, hour, hour + 1, 3.6 + hour / 10)
  settle(store, 6)
  const series = { usual: 1_250_000n }
  const pue = { kind: 'pue', name: 'all', from_ms: begin_ms, terms: { per: 'time', series }, note: '' } as const
  declare(store, pue, begin_ms + 6 * hour_ms)
  assert.equal(check(store).first_broken, undefined, 'what is to be worked out again is no fault')
  settle(store, 6)
  assert.equal(borne(store), '0.427083336', '4.1 × 1.25 kW × $10 ÷ 720 × 6 h; what is left over is in the first hours')
  charge(store, 'peak', 10_000_000_000n)
  settle(store, 6)
  assert.equal(borne(store), '51.25')
  charge(store, 'even', 0n)
  settle(store, 6)
  assert.equal(borne(store), '0')
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('a reading that ends in the next hour raises the peak of the hour before, though that is closed', () => {
  using home = testHome()
  const store = measuredStore(home)
  charge(store, 'peak', 10_000_000_000n)
  metered(store, 0, 1, 1)
  settle(store, 1)
  const from_ms = begin_ms + hour_ms - 900_000
  insertInterval(store, {
    meter: 'other',
    sequence: 1,
    from_ms,
    to_ms: from_ms + 1_800_000,
    energy: millijoules(9_000_000_000n),
    idle: millijoules(0n),
    grade: 'measured',
    reset: false,
  })
  settle(store, 2)
  const [month] = chargedMonths(store, declarations(store)).map(demandAnswer)
  assert.deepEqual([month?.peak_kw.value, month?.peak_at?.slice(11, 16)], [5.5, '00:45'])
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('the check says which hour does not bear what it owes, and whose peak is not that of its meters', () => {
  for (const [change, says] of [
    [
      'update demand_hour set energy_mj = energy_mj + 1 where hour = (select min(hour) from demand_hour)',
      /demand.*peak/,
    ],
    ["update cost_hour set amount = amount + 1 where source = 'demand/all'", /demand\/all.*are booked/],
  ] as const) {
    using home = testHome()
    const store = measuredStore(home)
    charge(store, 'even', 10_000_000_000n)
    metered(store, 0, 1, 2)
    settle(store, 2)
    assert.equal(check(store).conserved, true)
    store.database.exec(change)
    assert.match(JSON.stringify(check(store).first_broken), says)
    store.close()
  }
})

test('days that are rolled up stay as they are, and the rest of the month makes the charge whole', () => {
  using home = testHome()
  const store = measuredStore(home)
  charge(store, 'even', 10_000_000_000n)
  for (let hour = 0; hour < 3; hour++) metered(store, hour, hour + 1, 3.6)
  settle(store, 72)
  for (let turn = 0; turn < 100 && rollUp(store, begin_ms + 48 * hour_ms); turn++);
  metered(store, 100, 1, 7.2, 'later')
  settle(store, 120)
  assert.equal(check(store).first_broken, undefined)
  settle(store, month_h)
  assert.equal(borne(store), '72')
  assert.equal(check(store).first_broken, undefined)
  store.close()
})
