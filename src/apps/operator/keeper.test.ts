import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from '../../adapters/files/home.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { exportBooks } from '../../adapters/sqlite/export.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { StoreError } from '../../adapters/sqlite/store-error.ts'
import {
  closeRow,
  dice,
  gateway,
  openRow,
  setTestPrice,
  testHome,
  writeJournal,
} from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { roomOf } from '../../books/room.ts'
import { newKeeper } from './keeper.ts'

const keeperOf = (home: Home, store: Store, now = dayEnd_ms) =>
  newKeeper({
    home,
    store,
    meter: { idleWatts: 20, fullWatts: 60 },
    now: () => now,
    log: () => {},
    readers: [silentMeter],
  })

/** Turns until nothing is left to do; then again later, when every log has been read past the death of the dead gateway. */
function settle(home: Home, store: Store): void {
  for (const now of [dayEnd_ms, dayEnd_ms + 5000]) {
    const keeper = keeperOf(home, store, now)
    if (now === dayEnd_ms) keeper.sample()
    for (let turn = 0; turn < 3 || keeper.tick(); turn++) keeper.tick()
    keeper.close()
  }
}

/** All of the books, but for the moment at which an interval was attributed: who was killed did it later. */
const books = (home: Home): string[] =>
  [...exportBooks({ home })].map((line) => line.replace(/"posted_ms":\d+/, '"posted_ms":0'))

function undisturbed(seed: number): string[] {
  using home = testHome()
  using _ = makeDay(home, seed)
  const store = openStore(home)
  setTestPrice(store)
  settle(home, store)
  const found = check(store)
  assert.equal(found.conserved, true, `seed ${seed}: ${JSON.stringify(found.first_broken)}`)
  assert(found.requests > 30 && found.units.mJ.transfers > 100 && found.units.token.transfers > 100)
  assert.equal(found.open, 0)
  store.close()
  return books(home)
}

/** The same store, dead after a number of transactions: what it was told later never happened. */
function mortal(store: Store, life: number): Store & { dead(): boolean } {
  let left = life
  return {
    ...store,
    dead: () => left <= 0,
    transaction(work) {
      if (left <= 0) throw new Error('killed')
      const result = store.transaction(work)
      left--
      return result
    },
  }
}

test('killed between any two transactions, again and again: the same books to the last line', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const expected = undisturbed(seed)
    using home = testHome()
    using _ = makeDay(home, seed)
    const roll = dice(seed + 1000)
    let deaths = 0
    for (let alive = false; !alive; ) {
      const store = openStore(home)
      setTestPrice(store)
      const once = mortal(store, roll(5 + 2 * deaths)) // longer lives, or it never comes through
      settle(home, once)
      alive = !once.dead()
      if (!alive) deaths++
      store.close()
      assert(deaths < 200, `seed ${seed}: it never came through`)
    }
    assert(deaths > 2, 'a test that killed nothing proves nothing')
    assert.deepEqual(books(home), expected, `seed ${seed}`)
  }
})

test('kill -9 of the process that keeps the books: the same books', async () => {
  const expected = undisturbed(99)
  using home = testHome()
  using _ = makeDay(home, 99)
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [keeperFile, home.root], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    await after(round * 3)
    child.kill('SIGKILL')
    await closed
  }
  const store = openStore(home)
  setTestPrice(store)
  settle(home, store)
  store.close()
  assert.deepEqual(books(home), expected)
})

const keeperFile = fileURLToPath(new URL('testing-keeper.ts', import.meta.url))

test('a dead gateway leaves no file, a living one keeps its own; nothing lags', () => {
  using home = testHome()
  using _ = makeDay(home, 5)
  const store = openStore(home)
  setTestPrice(store)
  const begins = keeperOf(home, store)
  const { behind_s, journal_rows } = begins.lag()
  begins.close()
  // The oldest row that is not booked is of the day's first minute, an hour ago.
  assert(journal_rows > 20 && behind_s > 3500 && behind_s <= 3600, `${journal_rows} rows, ${behind_s} s`)
  settle(home, store)
  assert.deepEqual(
    readdirSync(home.journals).filter((name) => name.endsWith('.db')),
    ['gwb.db'],
  )
  const keeper = keeperOf(home, store)
  assert.deepEqual(keeper.lag(), {
    journal_rows: 0,
    engine_log_bytes: 0,
    open_requests: 0,
    unreconciled_attempts: 0,
    open_intervals: 0,
    oldest_open_interval_ms: null,
    behind_s: 0,
    energy_behind_s: 0,
    failing: null,
  })
  assert(keeper.acknowledged('gwb') > 20)
  assert.equal(keeper.acknowledged('never seen'), 0)
  keeper.close()
  store.close()
})

test('a store that fails is told once, and the keeper goes on when it works again', () => {
  using home = testHome()
  using _ = makeDay(home, 6)
  const store = openStore(home)
  setTestPrice(store)
  const said: string[] = []
  let full = true
  const failing: Store = {
    ...store,
    transaction(work) {
      if (full) throw new Error('the disk is full')
      return store.transaction(work)
    },
  }
  const keeper = newKeeper({
    home,
    store: failing,
    meter: { idleWatts: 1, fullWatts: 2 },
    now: () => dayEnd_ms,
    log: (message) => void said.push(message),
    readers: [],
  })
  keeper.tick()
  keeper.tick()
  assert.equal(keeper.lag().failing, 'the disk is full')
  full = false
  keeper.tick()
  assert.deepEqual(said, ['keeper: books failed: the disk is full', 'keeper: books works again'])
  assert.equal(keeper.lag().failing, null)
  keeper.close()
  store.close()
})

test('what waits is told since the question that was not answered, counted without the store, and no more when it answers', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  let [now, away] = [dayEnd_ms, false]
  const leads = (): boolean => {
    if (!away) return true
    now += 40_000 // one that hangs says nothing for so long
    throw new StoreError('unreachable', store.path)
  }
  const hanging: Store = { ...store, leads }
  const room = roomOf(
    { journal_bytes: 2048, engine_log_bytes: 1024, free_bytes: null },
    { most_bytes: 4096, least_free_bytes: 0 },
    'ample',
  )
  const meter = { idleWatts: 20, fullWatts: 60 }
  const keeper = newKeeper({
    home,
    store: hanging,
    meter,
    now: () => now,
    log: () => {},
    readers: [],
    room: () => room,
  })
  keeper.tick()
  assert.equal(keeper.backlog(), null)
  away = true
  writeJournal(home.journals, gateway, [openRow(1), closeRow(1)])
  const asked_ms = now
  for (let turn = 0; turn < 3; turn++) keeper.tick()
  const told = keeper.backlog()
  assert.deepEqual(
    [told?.since_ms, told?.age_s, told?.fault, told?.journal_rows, told?.held_bytes],
    [asked_ms, 120, 'unreachable', 2, 3072],
  )
  away = false
  while (keeper.tick());
  assert.equal(keeper.backlog(), null)
  assert.equal(check(store).requests, 1)
  keeper.close()
  store.close()
})

test('what fails by a fault of ours, or of a meter, is told as it is, and not as a store that does not answer', () => {
  using home = testHome()
  const store = openStore(home)
  const room = roomOf(
    { journal_bytes: 0, engine_log_bytes: 0, free_bytes: null },
    { most_bytes: 4096, least_free_bytes: 0 },
    'ample',
  )
  const broken = (): never => {
    throw new Error('something broken')
  }
  const common = { home, meter: { idleWatts: 20, fullWatts: 60 }, now: () => dayEnd_ms, log: () => {}, readers: [] }
  const meters = newKeeper({ ...common, store, others: broken, room: () => room })
  meters.tick()
  meters.sample()
  assert.deepEqual([meters.lag().failing, meters.backlog()], ['something broken', null])
  meters.close()
  const keeper = newKeeper({ ...common, store: { ...store, transaction: broken }, room: () => room })
  keeper.tick()
  assert.deepEqual([keeper.lag().failing, keeper.backlog()], ['something broken', null])
  keeper.close()
  store.close()
})
