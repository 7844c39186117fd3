import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Home } from '../../adapters/files/home.ts'
import { all, allBig } from '../../adapters/sqlite/query.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { pruneTallies } from '../../adapters/sqlite/tally.ts'
import { setTestPrice, testHome } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import type { CloseRow } from '../../books/row.ts'
import { spans } from '../../books/tally.ts'
import { outputTokens } from '../../books/usage.ts'
import { newKeeper } from './keeper.ts'

/** A day of the factory from a seed, booked by keepers that each live for some turns only. */
function settle(home: Home, store: Store, turns: number): void {
  for (const now of [dayEnd_ms, dayEnd_ms + 5000])
    for (let life = 0; life < 6; life++) {
      const keeper = newKeeper({
        home,
        store,
        meter: { idleWatts: 20, fullWatts: 60 },
        now: () => now,
        log: () => {},
        readers: [silentMeter],
      })
      if (life === 0) keeper.sample()
      for (let turn = 0; turn < turns; turn++) keeper.tick()
      keeper.close()
    }
}

function day<T>(seed: number, turns: number, look: (store: Store) => T): T {
  using home = testHome()
  using _ = makeDay(home, seed)
  const store = openStore(home)
  setTestPrice(store)
  settle(home, store, turns)
  const found = look(store)
  store.close()
  return found
}

const tallies = (store: Store): unknown[] => all(store.database, 'select * from tally')

/** Over the whole factory, added in whole numbers. */
function total({ database }: Store, span: number, measures: readonly string[]): bigint {
  const find = `select amount, measure from tally where span_s = ? and dimension = 'factory'`
  return allBig<{ amount: bigint; measure: string }>(database, find, span)
    .filter(({ measure }) => measures.includes(measure.replace(/\/.*/, '')))
    .reduce((sum, { amount }) => sum + amount, 0n)
}

function ledger({ database }: Store, unit: string): bigint {
  return allBig<{ amount: bigint }>(database, 'select amount from transfer where unit = ?', unit).reduce(
    (sum, { amount }) => sum + amount,
    0n,
  )
}

const classes = ['input_uncached', 'cache_read', 'cache_write', 'output_visible', 'reasoning']

test('what pages show is what the ledger says, in every unit and over every span', () => {
  let refunded = 0n
  for (let seed = 1; seed <= 4; seed++)
    day(seed, 3, (store) => {
      const foreign = allBig<{ amount: bigint }>(
        store.database,
        "select amount from transfer where unit = 'token' and request is null and credit not like 'waste/%'",
      )
      assert.deepEqual(foreign, [], 'only waste belongs to nobody')
      const refunds = allBig<{ amount: bigint }>(
        store.database,
        "select amount from transfer where debit like 'refund/%'",
      ).reduce((sum, { amount }) => sum + amount, 0n)
      refunded += refunds
      for (const span of spans) {
        assert.equal(total(store, span, [...classes, 'wasted']), ledger(store, 'token'), `seed ${seed}, ${span} s`)
        const earned = ledger(store, 'nano-USD') - 2n * refunds // in the ledger's sum they stand with the charges
        assert.equal(total(store, span, ['nano_usd']), earned, `seed ${seed}, ${span} s`)
        assert.equal(total(store, span, ['energy_mj', 'wasted_mj', 'idle_mj']), ledger(store, 'mJ'), `seed ${seed}`)
        const [requests] = allBig<{ n: bigint }>(store.database, 'select count(*) as n from request')
        assert.equal(total(store, span, ['requests']), requests?.n)
      }
      // Whoever got a joule is counted once, with all of its output, however many intervals it worked in.
      const metered = all<{ body: string }>(
        store.database,
        `select body from request where id in (select request from transfer where unit = 'mJ')`,
      ).map(({ body }) => JSON.parse(body) as CloseRow)
      const output = metered.reduce(
        (sum, { attempts }) => sum + attempts.reduce((of, { usage }) => of + outputTokens(usage), 0),
        0,
      )
      assert.equal(total(store, 3600, ['metered']), BigInt(output))
      const [drawn] = allBig<{ n: bigint }>(store.database, 'select sum(energy_mj) as n from meter_interval')
      assert.equal(total(store, 3600, ['drawn']), drawn?.n)
      assert(total(store, 3600, ['nano_usd']) > 0n && total(store, 3600, ['wasted']) > 0n, 'the day has all of it')
    })
  assert(refunded > 0n, 'something was given back')
})

test('a keeper that is started again and again makes the same sums', () => {
  for (let seed = 1; seed <= 3; seed++) assert.deepEqual(day(seed, 1, tallies), day(seed, 9, tallies), `seed ${seed}`)
})

test('short spans go when no page shows them any more, hours stay', () => {
  day(1, 3, (store) => {
    const left = (): number[] =>
      all<{ span_s: number }>(store.database, 'select distinct span_s from tally order by 1').map((row) => row.span_s)
    pruneTallies(store, dayEnd_ms)
    assert.deepEqual(left(), [...spans])
    pruneTallies(store, dayEnd_ms + 7 * 3600_000)
    assert.deepEqual(left(), [60, 600, 3600])
    pruneTallies(store, dayEnd_ms + 400 * 86_400_000)
    assert.deepEqual(left(), [3600])
  })
})
