import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costOf } from '../../books/post.ts'
import type { CloseRow } from '../../books/row.ts'
import { isBilled } from '../../books/row.ts'
import { id } from '../../units/ids.ts'
import { applicationDays } from './application-days.ts'
import { ingestJournal } from './ingest.ts'
import { Prices } from './price-of.ts'
import { all, run } from './query.ts'
import { openStore } from './store.ts'
import { closeRow, dice, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'

const day_ms = 86_400_000
/** Names that begin alike, and one that holds what separates names. */
const tenants = ['acme', 'acme/eu', 'acme0', 'acm']

test('what an application used on a day is the sum of its requests that ended on it, and of nobody else’s', () => {
  const roll = dice(3)
  const rows = Array.from({ length: 300 }, (_, index) =>
    closeRow(index + 1, {
      tenant: id(tenants[roll(tenants.length)] ?? ''),
      application: id(['web', 'web/2'][roll(2)] ?? ''),
      closed_ms: 100 * day_ms + roll(6 * day_ms),
      outcome: roll(4) ? 'complete' : 'timeout',
      attempts: [{ number: 1, replica: id('embedded'), usage: embeddedUsage(roll(500), roll(50), roll(300)) }],
    }),
  )
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  ingestJournal(store, gateway, journaled(rows))
  const prices = new Prices(store.database)
  let compared = 0
  for (const tenant of tenants) {
    const days = applicationDays(store, tenant, 101, 105)
    const names = days.map(({ day, application }) => [day, application])
    assert.deepEqual(
      names,
      names.toSorted((a, b) => Number(a[0]) - Number(b[0]) || (String(a[1]) < String(b[1]) ? -1 : 1)),
    )
    const mine = rows.filter((row) => row.tenant === tenant && inDays(row, 101, 105))
    assert.equal(
      days.reduce((sum, { sums }) => sum + (sums.get('requests') ?? 0n), 0n),
      BigInt(mine.length),
    )
    for (const { day, application, sums } of days) {
      compared++
      const its = mine.filter((row) => row.application === application && inDays(row, day, day + 1))
      const billed = its.filter(({ outcome }) => isBilled(outcome))
      const cost = billed.reduce((sum, row) => sum + costOf(row, prices.of(1)), 0n)
      assert.equal(sums.get('requests'), BigInt(its.length))
      assert.equal(sums.get('failed') ?? 0n, BigInt(its.length - billed.length))
      assert.equal(sums.get('nano_usd') ?? 0n, cost)
      const output = billed.reduce((sum, row) => sum + (row.attempts[0]?.usage.output_visible?.tokens ?? 0), 0)
      assert.equal(sums.get('output_visible') ?? 0n, BigInt(output))
    }
  }
  assert(compared > 20, 'a check that saw nothing proves nothing')
  store.close()
})

test('energy that came in an hour without a request is on its day', () => {
  using home = testHome()
  const store = openStore(home)
  const start_s = 101 * 86_400 - 3600 // drawn in the last hour of day 100, in an interval that ended with it
  run(
    store.database,
    "insert into tally (span_s, dimension, start_s, name, measure, amount) values (3600, 'application', ?, 'acme/web', 'energy_mj', 7)",
    start_s,
  )
  const energy = 'insert into statement_energy (tenant, hour, application, grade, amount) values (?, ?, ?, ?, ?)'
  run(store.database, energy, 'acme', 101 * 24, 'web', 'measured', 7)
  assert.deepEqual(
    applicationDays(store, 'acme', 100, 101).map(({ day, sums }) => [day, sums.get('energy_mj')]),
    [[100, 7n]],
  )
  assert.deepEqual(applicationDays(store, 'acme', 101, 102), [])
  store.close()
})

test('it goes by the index of tallies, hour by hour', {
  skip: process.env.WATTMILL_TEST_POSTGRES !== undefined,
}, () => {
  using home = testHome()
  const store = openStore(home)
  const asked: string[] = []
  const iterate = store.database.iterate.bind(store.database)
  store.database.iterate = (sql, values, integers) => {
    asked.push(sql)
    return iterate(sql, values, integers)
  }
  applicationDays(store, 'acme', 0, 1)
  const plan = all<{ detail: string }>(store.database, `explain query plan ${asked[0]}`, 'acme', 0, 24, 'a/', 'a0')
  assert(
    plan.some(({ detail }) =>
      /SEARCH t USING PRIMARY KEY \(span_s=\? AND dimension=\? AND start_s=\? AND name>\? AND name<\?\)/.test(detail),
    ),
    JSON.stringify(plan),
  )
  store.close()
})

const inDays = ({ closed_ms }: CloseRow, from: number, to: number): boolean =>
  closed_ms >= from * day_ms && closed_ms < to * day_ms
