import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeIntervals } from '../src/adapters/sqlite/close-intervals.ts'
import { closeHours } from '../src/adapters/sqlite/costs/close-hours.ts'
import { declare } from '../src/adapters/sqlite/costs/declarations.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { ingestJournal, journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { insertInterval } from '../src/adapters/sqlite/intervals.ts'
import { rollUp } from '../src/adapters/sqlite/rollup.ts'
import type { Store } from '../src/adapters/sqlite/store.ts'
import { closeRow, dice, gateway, journaled, measuredStore, testHome } from '../src/adapters/sqlite/testing.ts'
import { millijoules, nanoDollars } from '../src/units/amount.ts'
import { checkBeside } from './audit/beside.ts'
import { parseExport } from './audit/read.ts'

const hour_ms = 3_600_000
/** Some hours before a month ends. */
const begin_ms = Date.UTC(2027, 3, 30, 14)
const first = begin_ms / hour_ms
const hours = 20

/** Two connections to the grid over the end of a month, one model trained by time, one by tokens and trained anew. */
function factory(home: ReturnType<typeof testHome>, seed: number): Store {
  const store = measuredStore(home)
  const roll = dice(seed)
  const now_ms = begin_ms + hours * hour_ms + 10_000
  const say = (kind: 'demand' | 'training' | 'data' | 'pue', name: string, from_h: number, terms: object): void =>
    void declare(store, { kind, name, from_ms: (first + from_h) * hour_ms, note: '', terms: terms as never }, now_ms)
  const kW = (usd: number, rule: string, interval_min: number) => ({
    per: 'kW',
    amount: nanoDollars(BigInt(usd * 1e7)),
    interval_min,
    offset_min: 120,
    rule,
  })
  say('demand', 'all', -13, kW(1234, seed % 2 === 0 ? 'even' : 'peak', 15))
  say('demand', 'board-b', -13, kW(777, seed % 2 === 0 ? 'peak' : 'even', 5))
  say('demand', 'all', 10, kW(999, 'even', 30))
  const rules = [{ hours: [1, 5] as const, value: 1_111_111n }]
  say('pue', 'all', -13, { per: 'time', series: { usual: 1_250_001n, rules } })
  const job = { per: 'job', energy_mj: 5n, months: null, tokens: null }
  say('training', 'm/first', 2, { ...job, amount: nanoDollars(7_000_000_001n), months: 1 })
  say('data', 'm/set', 1, { ...job, amount: nanoDollars(3_333_333_333n), tokens: 4000 })
  say('data', 'm/set', 12, { ...job, amount: nanoDollars(1_000_000_007n), tokens: 90_000 })
  const rows = Array.from({ length: 60 }, (_, number) => {
    const at_ms = begin_ms + roll(hours * hour_ms - 20_000)
    const outcome = number % 5 === 0 ? ('timeout' as const) : ('complete' as const)
    return { ...closeRow(number + 1, { at_ms, closed_ms: at_ms + 500 + roll(15_000) }), outcome }
  })
  ingestJournal(store, gateway, journaled(rows))
  store.transaction(() => {
    for (const meter of ['board', 'board-b'])
      for (let from_ms = begin_ms, sequence = 1; from_ms < begin_ms + hours * hour_ms; sequence++) {
        const to_ms = from_ms + 30_000 + roll(900_000)
        const energy = millijoules(BigInt((to_ms - from_ms) * (100 + roll(900))))
        const idle = millijoules(0n)
        insertInterval(store, { meter, sequence, from_ms, to_ms, energy, idle, grade: 'measured', reset: false })
        from_ms = to_ms
      }
  })
  journalReadTo(store, gateway, now_ms)
  while (closeIntervals(store, now_ms));
  for (let turn = 0; turn < 500 && closeHours(store, now_ms); turn++);
  return store
}

test('an auditor who works out demand charges and the making of models anew finds what is booked, and each number that was changed', () => {
  for (let seed = 0; seed < 4; seed++) {
    using home = testHome()
    const store = factory(home, seed)
    const audit = () => checkBeside(parseExport([...exportBooks(store)].join('')))
    const { costs } = parseExport([...exportBooks(store)].join(''))
    const sources = new Set(costs?.hours.map(({ source }) => source))
    for (const source of ['demand/all', 'demand/board-b', 'job/training/m/first', 'job/data/m/set'])
      assert(sources.has(source), `seed ${seed}: nothing of ${source}: ${[...sources]}`)
    assert(costs)
    assert.equal(costs.peaks.length, 2 * (hours - 1), 'the last reading reaches over the end of the last hour')
    assert(costs.served.length > 5, `${costs.served.length}`)
    assert.deepEqual(audit(), [], `seed ${seed}`)

    const planted = (change: string, message: RegExp, undo: string): void => {
      store.database.exec(change)
      assert.match(audit()[0]?.message ?? '', message, `seed ${seed}: ${change}`)
      store.database.exec(undo)
    }
    const cost = (source: string, more: number): string => {
      const hour = costs.hours.find((one) => one.source === source)?.hour
      return `update cost_hour set amount = amount + ${more} where source = '${source}' and hour = ${hour}`
    }
    planted(cost('demand/all', 1), /by the month's peak/, cost('demand/all', -1))
    planted(cost('job/training/m/first', 1), /by what was served/, cost('job/training/m/first', -1))
    const peak = (more: number): string =>
      `update demand_hour set energy_mj = energy_mj + ${more} where hour = ${first + 4}`
    planted(peak(1), /and by the meters/, peak(-1))
    const tokens = (more: number): string => `update served_hour set tokens = tokens + ${more}`
    planted(tokens(1), /were served/, tokens(-1))

    for (let turn = 0; turn < 50 && rollUp(store, begin_ms + 12 * hour_ms); turn++);
    assert.deepEqual(audit(), [], `seed ${seed}, rolled up`)
    store.close()
  }
})
