import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { hour_ms } from '../../../books/cost-hour.ts'
import { millijoules, nanoDollars } from '../../../units/amount.ts'
import { id } from '../../../units/ids.ts'
import type { Home } from '../../files/home.ts'
import { check } from '../check.ts'
import { closeIntervals } from '../close-intervals.ts'
import { ingestJournal, journalReadTo } from '../ingest.ts'
import { insertInterval } from '../intervals.ts'
import { all, one } from '../query.ts'
import { openStore, type Store } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { closeRow, gateway, journaled, measuredStore, testHome } from '../testing.ts'
import { closeHours } from './close-hours.ts'
import { declare } from './declarations.ts'
import { HoursThread } from './hours-thread.ts'
import { forgetLearned, lastLearned, markStale } from './stale.ts'
import { learnedSince, workOut } from './work-out.ts'

const first = 500_016
const hours = 30
const now_ms = (first + hours) * hour_ms + 5000

/** A request in each hour on an engine of 2 dollars an hour. */
function booked(home: Home): Store {
  const store = measuredStore(home)
  const rows = Array.from({ length: hours }, (_, number) => {
    const at_ms = (first + number) * hour_ms + 60_000
    const row = closeRow(number + 1, { at_ms, closed_ms: at_ms + 9000 })
    return { ...row, attempts: row.attempts.map((attempt) => ({ ...attempt, replica: id('gpu') })) }
  })
  ingestJournal(store, gateway, journaled(rows as never))
  journalReadTo(store, gateway, now_ms)
  capacity(store, 2n, first)
  return store
}

const capacity = (store: Store, usd: bigint, hour: number) =>
  declare(
    store,
    {
      ...{ kind: 'capacity', name: 'gpu', from_ms: hour * hour_ms, note: '' },
      terms: { per: 'hour', amount: nanoDollars(usd * 1_000_000_000n) },
    },
    now_ms,
  )

async function untilIdle(thread: HoursThread): Promise<void> {
  for (let turn = 0; turn < 2000 && thread.running; turn++) await wait(5)
  assert(!thread.running, 'it ends by itself')
}

const closed = (store: Store): number =>
  one<{ n: number }>(store.database, 'select count(*) as n from closed_hour where stale = 0')?.n ?? 0
const transfers = (store: Store) =>
  all(store.database, "select id, debit, credit, amount from transfer where id >= 'cost/' and id < 'cost0' order by id")

test('beside the writer hours come out as in it, in order and without a hole', async () => {
  using home = testHome()
  using other = testHome()
  const [store, plain] = [booked(home), booked(other)]
  for (let turn = 0; turn < 100 && closeHours(plain, now_ms); turn++);
  const thread = new HoursThread(home, store, () => now_ms)
  thread.turn()
  assert(thread.running)
  thread.turn() // while one is at work there is no other
  await untilIdle(thread)
  assert.equal(closed(store), 24, 'a day at a time')
  thread.turn()
  await untilIdle(thread)
  assert.equal(closed(store), hours)
  assert.deepEqual(transfers(store), transfers(plain))
  assert.equal(check(store).first_broken, undefined)
  thread.turn()
  assert(!thread.running, 'nothing is left to do')
  store.close()
  plain.close()
})

test('an hour of which something was learned meanwhile is worked out again, and so are those after it', async () => {
  using home = testHome()
  const store = booked(home)
  let declared = false
  const meanwhile: Store['transaction'] = (work) => {
    if (!declared) capacity(store, 5n, first + 3) // the thread has looked: the first hour is about to be posted
    declared = true
    return store.transaction(work)
  }
  const thread = new HoursThread(home, Object.create(store, { transaction: { value: meanwhile } }), () => now_ms)
  thread.turn()
  await untilIdle(thread)
  assert.equal(closed(store), 3, 'those before it stay')
  for (let turn = 0; turn < 3; turn++) {
    thread.turn()
    await untilIdle(thread)
  }
  assert.equal(closed(store), hours)
  const costs = all<{ amount: number }>(
    store.database,
    "select amount from cost_hour where source = 'capacity/gpu' order by hour",
  )
  assert.deepEqual(
    costs.map(({ amount }) => amount),
    Array.from({ length: hours }, (_, at) => (at < 3 ? 2e9 : 5e9)),
  )
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('stopped in the middle it posts nothing more, and whoever comes next does the rest', async () => {
  using home = testHome()
  const store = booked(home)
  const thread = new HoursThread(home, store, () => now_ms)
  thread.turn()
  await thread.stop()
  const before = closed(store)
  await wait(50)
  assert.equal(closed(store), before)
  thread.turn()
  assert(!thread.running)
  for (let turn = 0; turn < 100 && closeHours(store, now_ms); turn++);
  assert.equal(closed(store), hours)
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('what goes wrong is thrown in the next turn, and not tried again at once', async () => {
  using home = testHome()
  const store = booked(home)
  const away = new HoursThread({ ...home, database: 'postgres://someone@127.0.0.1:1/books' }, store, () => now_ms)
  away.turn()
  await untilIdle(away)
  for (let turn = 0; turn < 2; turn++)
    assert.throws(
      () => away.turn(),
      (error) => error instanceof StoreError && error.fault === 'unreachable',
    )
  assert(!away.running)

  const noRoom = (): never => assert.fail('no room')
  const full = new HoursThread(home, Object.create(store, { transaction: { value: noRoom } }) as Store, () => now_ms)
  full.turn()
  await untilIdle(full)
  assert.throws(() => full.turn(), /no room/)
  assert.equal(transfers(store).length, 0, 'an hour is posted whole or not at all')
  store.close()
})

test('what another operator books or declares of an hour meanwhile is found in the store', () => {
  using home = testHome()
  const store = booked(home)
  const [worked, later] = [workOut(store, first), workOut(store, first + 5)]
  assert(!learnedSince(store, worked))
  capacity(store, 3n, first + 5)
  assert.deepEqual([learnedSince(store, worked), learnedSince(store, later)], [false, true])
  const at_ms = first * hour_ms + 60_000
  ingestJournal(store, id('other'), journaled([closeRow(1, { at_ms, closed_ms: at_ms + 1 }, id('other'))]))
  assert(learnedSince(store, worked))
  assert(!learnedSince(store, workOut(store, first)))
  store.close()
})

/** A meter of which a joule more is booked. */
function drawn(store: Store, sequence: number, at_ms: number, energy_mj: bigint): void {
  const energy = millijoules(energy_mj)
  const span = { from_ms: at_ms, to_ms: at_ms + 1000, energy, idle: energy, reset: false }
  insertInterval(store, { ...span, meter: 'm', sequence, grade: 'measured', claims: [] })
  closeIntervals(store, now_ms)
}

const power = (store: Store): void => {
  const terms = { per: 'time', series: { usual: 100_000_000_000n } } as const
  declare(store, { kind: 'tariff', name: 'all', from_ms: first * hour_ms, note: '', terms }, now_ms)
}

test('an hour that was worked out before another one booked more of it, and posted it, is not posted after', () => {
  using home = testHome()
  const store = openStore(home)
  power(store)
  drawn(store, 1, first * hour_ms + 1000, 3_600_000_000n)
  const old = workOut(store, first)
  drawn(store, 2, first * hour_ms + 5000, 3_600_000_000n)
  assert(learnedSince(store, old), 'joules: no request and no declaration')
  const newer = workOut(store, first)
  assert(!learnedSince(store, newer))
  closeHours(store, now_ms)
  assert(learnedSince(store, newer), 'somebody else posted it')
  assert.equal(one<{ amount: number }>(store.database, 'select amount from cost_hour')?.amount, 200_000_000_000)
  store.close()
})

test('what is learned of one hour says nothing of another one, however often, and is one row', () => {
  using home = testHome()
  const store = openStore(home)
  power(store)
  const worked = workOut(store, first)
  for (let turn = 0; turn < 5; turn++) markStale(store, first + 1, first + 2)
  assert(!learnedSince(store, worked))
  assert.equal(all(store.database, 'select * from learned where to_hour = ?', first + 2).length, 1)
  markStale(store, first - 1, first)
  assert(learnedSince(store, worked))
  store.close()
})

test('of hours that are rolled up nothing learned is kept, and numbers go on', () => {
  using home = testHome()
  const store = openStore(home)
  for (const hour of [1, 2, 3]) markStale(store, first + hour, first + hour)
  const before = lastLearned(store)
  forgetLearned(store, first + 3)
  const left = all<{ to_hour: number }>(store.database, 'select to_hour from learned')
  assert.deepEqual(
    left.map(({ to_hour }) => to_hour),
    [first + 3],
  )
  markStale(store, first + 9, first + 9)
  assert.equal(lastLearned(store), before + 1)
  store.close()
})
