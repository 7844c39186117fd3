import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeIntervals } from '../src/adapters/sqlite/close-intervals.ts'
import { closeHours } from '../src/adapters/sqlite/costs/close-hours.ts'
import { declare } from '../src/adapters/sqlite/costs/declarations.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { insertInterval } from '../src/adapters/sqlite/intervals.ts'
import { setCost } from '../src/adapters/sqlite/registry/meters.ts'
import { gateway, measuredStore, testHome } from '../src/adapters/sqlite/testing.ts'
import { millijoules, nanoDollars } from '../src/units/amount.ts'
import { checkCosts } from './audit/cost.ts'
import { parseExport } from './audit/read.ts'

const hour_ms = 3_600_000
const begin_ms = 500_016 * hour_ms

test('an auditor who works out hours his own way finds the same, and finds what was changed', () => {
  using home = testHome()
  const store = measuredStore(home)
  const now_ms = begin_ms + 5 * hour_ms
  const say = (kind: 'capacity' | 'staff', name: string, usd: number, from_ms: number) =>
    declare(
      store,
      { kind, name, from_ms, note: '', terms: { per: 'hour', amount: nanoDollars(BigInt(Math.round(usd * 1e9))) } },
      now_ms,
    )
  setCost(store, 'gpu', nanoDollars(1_234_567_891n), begin_ms + 1_000_001)
  setCost(store, 'gpu', nanoDollars(0n), begin_ms + 3 * hour_ms + 7)
  say('capacity', 'gpu', 2.5, begin_ms + hour_ms + 1_234_567)
  say('capacity', 'gpu', 3.1, begin_ms + hour_ms + 1_234_567)
  say('staff', 'ops', 0.7, begin_ms)
  const series = {
    usual: 123_456_789n,
    offset_min: 90,
    rules: [{ hours: [2, 4] as const, value: 55_555_555n }],
    points: [{ at_ms: begin_ms + 2 * hour_ms + 600_000, value: 99n }],
  }
  declare(store, { kind: 'tariff', name: 'board', from_ms: begin_ms, note: '', terms: { per: 'time', series } }, now_ms)
  declare(
    store,
    { kind: 'pue', name: 'all', from_ms: begin_ms, note: '', terms: { per: 'time', series: { usual: 1_340_000n } } },
    now_ms,
  )
  declare(store, { kind: 'carbon', name: 'all', from_ms: begin_ms, note: '', terms: { per: 'time', series } }, now_ms)
  for (let quarter = 0; quarter < 16; quarter++) {
    const [from_ms, to_ms] = [begin_ms + quarter * 900_000, begin_ms + (quarter + 1) * 900_000]
    const energy = millijoules(BigInt(123_456_789 + quarter))
    insertInterval(store, {
      meter: 'board',
      sequence: quarter + 1,
      from_ms,
      to_ms,
      energy,
      idle: millijoules(0n),
      grade: 'measured',
      reset: false,
    })
  }
  journalReadTo(store, gateway, now_ms)
  while (closeIntervals(store, now_ms));
  for (let turn = 0; turn < 20 && closeHours(store, now_ms); turn++);
  const audit = () => checkCosts(parseExport([...exportBooks(store)].join('')))
  const { costs } = parseExport([...exportBooks(store)].join(''))
  assert.equal(new Set(costs?.hours.map(({ source }) => source)).size, 3)
  assert.equal(costs?.hours.length, 4 * 4, 'four hours of a machine, people, money and carbon of a meter')
  assert.deepEqual(audit(), [])
  store.database.exec(
    "update cost_declaration set terms = replace(terms, '700000000', '700000001') where kind = 'staff'",
  )
  assert.match(audit()[0]?.message ?? '', /cost 700000000, and 700000001 were declared/)
  store.close()
})
