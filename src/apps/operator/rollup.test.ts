import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Home } from '../../adapters/files/home.ts'
import { receipt, splitsRolledDay, statement } from '../../adapters/sqlite/answers.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { closeIntervals } from '../../adapters/sqlite/close-intervals.ts'
import { closeLooks } from '../../adapters/sqlite/close-looks.ts'
import { insertCounted } from '../../adapters/sqlite/counted.ts'
import { ingestJournal, journalReadTo } from '../../adapters/sqlite/ingest.ts'
import { insertInterval } from '../../adapters/sqlite/intervals.ts'
import { count } from '../../adapters/sqlite/ledger.ts'
import { all, run } from '../../adapters/sqlite/query.ts'
import { rollUp } from '../../adapters/sqlite/rollup.ts'
import { openStore, type Store } from '../../adapters/sqlite/store.ts'
import {
  closeRow,
  dice,
  gateway,
  journaled,
  measuredStore,
  openRow,
  setTestPrice,
  testHome,
} from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, dayStart_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { usageFrom } from '../../books/usage.ts'
import { millijoules } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { newKeeper } from './keeper.ts'

const day_ms = 86_400_000
/** The made day's traffic lies on both sides of it. */
const midnight_ms = Math.ceil(dayStart_ms / day_ms) * day_ms
/** When all of it is long past. */
const after_ms = midnight_ms + day_ms
const tenants = ['t0', 't1', 't2', 'acme', 'nobody']

/** A factory's made day, all of it booked. */
function settledDay(home: Home, seed: number): Store & Disposable {
  const held = makeDay(home, seed)
  const store = openStore(home)
  setTestPrice(store)
  for (const now of [dayEnd_ms, dayEnd_ms + 5000]) {
    const meter = { idleWatts: 20, fullWatts: 60 }
    const keeper = newKeeper({ home, store, meter, now: () => now, log: () => {}, readers: [silentMeter] })
    if (now === dayEnd_ms) keeper.sample()
    for (let turn = 0; turn < 3 || keeper.tick(); turn++) keeper.tick()
    keeper.close()
  }
  return {
    ...store,
    [Symbol.dispose]() {
      store.close()
      held[Symbol.dispose]()
    },
  }
}

const statements = (store: Store) =>
  tenants.flatMap((tenant) =>
    [
      [midnight_ms - day_ms, midnight_ms],
      [midnight_ms, midnight_ms + day_ms],
      [midnight_ms - 9 * day_ms, midnight_ms + 9 * day_ms],
    ].map(([from = 0, to = 0]) => statement(store, id(tenant), from, to)),
  )

const balances = (store: Store) => all(store.database, 'select * from balance order by account, unit, day')

/** All that must be the same whether days are rolled up or not; the engines' attempts are not counted in sums. */
function told(store: Store, what: string) {
  const { engine, rolled_up: _, lag: __, ...checked } = check(store)
  assert.equal(checked.conserved, true, `${what}: ${JSON.stringify(checked.first_broken)}`)
  return { checked, residual: engine.residual, statements: statements(store), balances: balances(store) }
}

const rows = (store: Store, table: string): number => count(store.database, `select count(*) as n from ${table}`)
const detail = (store: Store): number => rows(store, 'request') + rows(store, 'transfer') + rows(store, 'engine_second')

test('rolled up to any moment, in any number of steps: books, balances and statements of whole days are what they were', () => {
  for (let seed = 1; seed <= 6; seed++) {
    using home = testHome()
    using store = settledDay(home, seed)
    const before = told(store, `seed ${seed}`)
    const roll = dice(seed)
    let left = detail(store)
    assert(left > 200, `seed ${seed}: only ${left}`)
    // Midnight, as the keeper does; then moments in the middle of requests, and at last all of it.
    for (const until of [midnight_ms, midnight_ms + roll(20_000), midnight_ms + 20_000 + roll(20_000), after_ms]) {
      while (rollUp(store, until)) assert.deepEqual(told(store, `seed ${seed} on the way`), before)
      assert.deepEqual(told(store, `seed ${seed} until ${until}`), before)
      assert(detail(store) <= left)
      left = detail(store)
    }
    assert.equal(rows(store, 'request'), 0)
    assert(left < 20, `seed ${seed}: ${left} rows are left`)
    const { rolled_up } = check(store)
    assert.deepEqual([rolled_up.requests, rolled_up.until_ms], [before.checked.requests, midnight_ms + day_ms])
  }
})

test('a request that is kept has its receipt as it was, to the millijoule', () => {
  for (let seed = 1; seed <= 6; seed++) {
    using home = testHome()
    using store = settledDay(home, seed)
    const kept = all<{ id: string }>(store.database, 'select id from request where closed_ms >= ?', midnight_ms)
    const receipts = () => kept.map(({ id }) => receipt(store, id))
    const before = receipts()
    while (rollUp(store, midnight_ms));
    assert.deepEqual(receipts(), before, `seed ${seed}`)
    assert(kept.length > 5 && rows(store, 'request') === kept.length)
  }
})

test('what is not settled holds back all that it may need', () => {
  using home = testHome()
  using store = settledDay(home, 3)
  const open = JSON.stringify(openRow(9, { at_ms: dayStart_ms - 60_000 }))
  run(
    store.database,
    'insert into open_request (id, incarnation, body, hash) values (?, ?, ?, ?)',
    'o',
    'gwb',
    open,
    'h',
  )
  const before = detail(store)
  while (rollUp(store, after_ms));
  assert.equal(detail(store), before, 'a request that is open keeps those after it')
  store.database.exec("delete from open_request where id = 'o'")
  store.database.exec('update meter_interval set posted_ms = null where sequence = 2')
  const intervals = rows(store, 'meter_interval')
  while (rollUp(store, after_ms));
  assert.equal(rows(store, 'meter_interval'), intervals, 'an interval that is open keeps those after it')
})

test('no statement begins or ends within a day of which only sums are kept', () => {
  using home = testHome()
  using store = settledDay(home, 4)
  assert.equal(splitsRolledDay(store, midnight_ms - 1000), false)
  while (rollUp(store, midnight_ms));
  assert.deepEqual(
    [midnight_ms - day_ms, midnight_ms - 1000, midnight_ms, midnight_ms + 1000].map((at) => splitsRolledDay(store, at)),
    [false, true, false, false],
  )
})

test('a sum that was changed by hand is found', () => {
  const changes = [
    "update rolled_transfer set amount = amount + 1 where unit = 'token'",
    "update rolled_part set amount = amount + 1 where cause = '' and amount > 0",
    "update rolled_part set tokens = tokens + 1 where cause = ''",
    'update rolled_interval set energy_mj = energy_mj - 1',
    "delete from rolled_transfer where unit = 'nano-USD'",
  ]
  for (const change of changes) {
    using home = testHome()
    using store = settledDay(home, 5)
    while (rollUp(store, after_ms));
    store.database.exec(change)
    const { conserved, first_broken } = check(store)
    assert.equal(conserved, false, change)
    assert.match(first_broken?.what ?? '', /rolled up|balance|statement/)
  }
})

test('engines elsewhere: what was rebuilt, and what was foreign, is rolled up with the rest', () => {
  using home = testHome()
  const store = measuredStore(home)
  const start_ms = midnight_ms - 10_000
  const usage = usageFrom('provider', { input_uncached: 200, cache_read: 0, output_visible: 100 })
  const served = Array.from({ length: 12 }, (_, index) => {
    const at_ms = start_ms + index * 1500
    const attempts = [{ number: 1, replica: id<never>('gpu'), usage }]
    return closeRow(index + 1, { at_ms, closed_ms: at_ms + 3000, ttft_ms: 400, stream: true, attempts })
  })
  const asked = served.map(({ at_ms }, index) => openRow(index + 1, { at_ms }))
  ingestJournal(store, gateway, journaled([...asked, ...served]))
  for (let sequence = 1; sequence <= 30; sequence++)
    insertInterval(store, {
      meter: 'board',
      sequence,
      from_ms: start_ms + (sequence - 1) * 1000,
      to_ms: start_ms + sequence * 1000,
      energy: millijoules(500_000n),
      idle: millijoules(100_000n),
      grade: 'measured',
      reset: false,
    })
  for (const at of [10, 20, 30])
    insertCounted(store, {
      engine: id('gpu'),
      from_ms: start_ms + (at - 10) * 1000,
      to_ms: start_ms + at * 1000,
      prompt: 9000,
      output: 5000,
      cached: true,
    })
  journalReadTo(store, gateway, start_ms + 600_000)
  while (closeLooks(store, start_ms + 600_000));
  while (closeIntervals(store, start_ms + 600_000));
  const before = told(store, 'whole')
  assert(count(store.database, "select count(*) as n from transfer where credit like 'waste/foreign%'") > 2)
  assert(rows(store, 'window_work') > 20)
  for (const until of [midnight_ms, midnight_ms + 60_000]) {
    while (rollUp(store, until));
    assert.deepEqual(told(store, String(until)), before)
  }
  assert.deepEqual([rows(store, 'request'), rows(store, 'meter_interval'), rows(store, 'engine_counted')], [0, 1, 1])
  store.close()
})

test('the keeper rolls up what is older than it was told, and a command that was told nothing rolls up nothing', () => {
  using home = testHome()
  using store = settledDay(home, 2)
  const later = midnight_ms + 50 * day_ms
  const turn = (keeps?: { engineLogDays: number; engineLogBytes: number; detailDays: number }): void => {
    const meter = { idleWatts: 20, fullWatts: 60 }
    const keeper = newKeeper({
      home,
      store,
      meter,
      now: () => later,
      log: assert.fail,
      readers: [],
      ...(keeps && { keeps }),
    })
    for (let at = 0; at < 50; at++) keeper.tick()
    keeper.close()
  }
  const before = told(store, 'before')
  turn()
  turn({ engineLogDays: 1e6, engineLogBytes: 1e12, detailDays: 60 })
  assert.equal(check(store).rolled_up.requests, 0)
  turn({ engineLogDays: 1e6, engineLogBytes: 1e12, detailDays: 40 })
  assert.equal(rows(store, 'request'), 0)
  assert.deepEqual(told(store, 'after'), before)
})
