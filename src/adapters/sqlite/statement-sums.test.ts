import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../books/cost-hour.ts'
import type { CloseRow } from '../../books/row.ts'
import { StatementBuilder } from '../../books/statement.ts'
import { id } from '../../units/ids.ts'
import { statement } from './answers.ts'
import { check } from './check.ts'
import { ingestJournal } from './ingest.ts'
import { Prices } from './price-of.ts'
import { rollUp } from './rollup.ts'
import { openStore } from './store.ts'
import { closeRow, dice, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'

const start_ms = 20_000 * 86_400_000 - 5 * hour_ms
const roll = dice(3)

/** Requests of three tenants over ten hours, about midnight: some late, some wasted, some without a count. */
const rows = Array.from({ length: 400 }, (_, index): CloseRow => {
  const usage = embeddedUsage(roll(900), roll(300), roll(200))
  return closeRow(index + 1, {
    tenant: id(`t${roll(3)}`),
    application: id(roll(2) === 0 ? 'support' : 'a/b'),
    price_version: roll(5) === 0 ? null : 1,
    outcome: roll(6) === 0 ? 'upstream_error' : 'complete',
    ttft_ms: roll(2) === 0 ? 1500 : 10,
    closed_ms: start_ms + roll(10 * hour_ms),
    attempts: [{ number: 1, replica: id('hosted'), usage: roll(9) === 0 ? { ...usage, reasoning: null } : usage }],
  })
})

test('a statement from sums is that of the requests, wherever it begins and ends, and however old the store is', () => {
  for (const from of [0, start_ms / hour_ms + 4, start_ms / hour_ms + 40]) {
    using home = testHome()
    const store = openStore(home)
    setTestPrice(store)
    store.database.exec(`update counter set value = ${from} where name = 'statement_hours_from'`)
    for (let at = 0; at < rows.length; at += 100)
      ingestJournal(store, gateway, journaled(rows.slice(at, at + 100), at + 1))
    const prices = new Prices(store.database)
    const spans = Array.from({ length: 40 }, () => [roll(12 * hour_ms), roll(12 * hour_ms)].sort((a, b) => a - b))
    for (const [begin = 0, end = 0] of [[0, 12 * hour_ms], [hour_ms, 2 * hour_ms], ...spans])
      for (const tenant of ['t0', 't1', 't2', 'nobody']) {
        const [from_ms, to_ms] = [start_ms - hour_ms + begin, start_ms - hour_ms + end]
        const should = new StatementBuilder(tenant, from_ms, to_ms)
        for (const row of rows)
          if (row.tenant === tenant && row.closed_ms >= from_ms && row.closed_ms < to_ms)
            should.add(row, prices.of(row.price_version ?? 0))
        assert.deepEqual(statement(store, id(tenant), from_ms, to_ms), should.done())
      }
    store.close()
  }
})

test('the check finds a sum that is not that of its requests, before and after its day was rolled up', () => {
  for (const rolled of [false, true]) {
    using home = testHome()
    const store = openStore(home)
    setTestPrice(store)
    ingestJournal(store, gateway, journaled(rows))
    if (rolled) while (rollUp(store, start_ms + 5 * hour_ms));
    assert.deepEqual(check(store).first_broken, undefined)
    store.database.exec(
      "update statement_part set amount = amount + 1 where tenant = 't1' and hour = (select min(hour) from statement_part where tenant = 't1')",
    )
    assert.match(check(store).first_broken?.what ?? '', /statement/)
    store.close()
  }
})
