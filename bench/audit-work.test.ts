import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeHours } from '../src/adapters/sqlite/costs/close-hours.ts'
import { declare } from '../src/adapters/sqlite/costs/declarations.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { ingestJournal, journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { rollUp } from '../src/adapters/sqlite/rollup.ts'
import type { Store } from '../src/adapters/sqlite/store.ts'
import { closeRow, dice, gateway, journaled, measuredStore, testHome } from '../src/adapters/sqlite/testing.ts'
import type { CloseRow } from '../src/books/row.ts'
import { usageFrom } from '../src/books/usage.ts'
import { nanoDollars } from '../src/units/amount.ts'
import { id } from '../src/units/ids.ts'
import { parseExport } from './audit/read.ts'
import { checkWork } from './audit/work.ts'

const hour_ms = 3_600_000
const first = 500_016
const begin_ms = first * hour_ms

/** Answers whole and streamed, short and over the end of an hour, cached, tried twice, and for nothing. */
function factory(home: ReturnType<typeof testHome>, seed: number): Store {
  const store = measuredStore(home)
  const roll = dice(seed)
  const now_ms = begin_ms + 4 * hour_ms + 5000
  const terms = { per: 'hour', amount: nanoDollars(2_000_000_000n) } as const
  declare(store, { kind: 'capacity', name: 'gpu', from_ms: begin_ms, terms, note: '' }, now_ms)
  const rows = Array.from({ length: 120 }, (_, number): CloseRow => {
    const at_ms = begin_ms + roll(3 * hour_ms)
    const closed_ms = at_ms + roll(number % 9 === 0 ? 2_400_000 : 15_000)
    const usage = () =>
      usageFrom('provider', {
        input_uncached: roll(3) * roll(300),
        cache_read: roll(2) * roll(500),
        output_visible: roll(4) === 0 ? roll(2) : roll(400),
      })
    const on = () => id<never>(roll(3) === 0 ? 'far' : 'gpu')
    const tries = roll(4) === 0 ? 2 : 1
    return closeRow(number + 1, {
      at_ms,
      closed_ms,
      queued_ms: 0,
      stream: roll(2) === 0,
      ttft_ms: roll(5) === 0 ? null : roll(Math.max(1, closed_ms - at_ms)),
      tenant: id(`t${roll(3)}`),
      outcome: number % 5 === 0 ? 'timeout' : 'complete',
      attempts: Array.from({ length: tries }, (_, at) => ({ number: at + 1, replica: on(), usage: usage() })),
    })
  })
  ingestJournal(store, gateway, journaled(rows))
  journalReadTo(store, gateway, now_ms)
  for (let turn = 0; turn < 1000 && closeHours(store, now_ms); turn++);
  return store
}

test('an auditor who works out what engines did anew finds what is kept for utilisation, and each number that was changed', () => {
  for (let seed = 0; seed < 6; seed++) {
    using home = testHome()
    const store = factory(home, seed)
    const books = () => parseExport([...exportBooks(store)].join(''))
    const { work } = books()
    assert(work && work.busy.length >= 6 && work.shares.some(({ cause }) => cause === 'retry'), `seed ${seed}`)
    assert.deepEqual(checkWork(books()), [], `seed ${seed}`)
    if (seed > 1) {
      store.close()
      continue
    }
    for (const [column, by, message] of [
      ['held_ns', 1, /ns of it held/],
      ['prefill', 1, /its requests had/],
      ['decode', 1, /its requests had/],
      ['kv_token_ms', 1, /its requests had/],
    ] as const) {
      store.database.exec(`update work_hour set ${column} = ${column} + ${by} where hour = ${first + 1}`)
      assert.match(checkWork(books())[0]?.message ?? '', message, `seed ${seed}: ${column}`)
      store.database.exec(`update work_hour set ${column} = ${column} - ${by} where hour = ${first + 1}`)
    }
    store.database.exec(`update busy_hour set busy_s = busy_s + 1 where hour = ${first}`)
    assert(checkWork(books()).some((one) => /s were busy, and|are kept as busy/.test(one.message)))
    store.database.exec(`update busy_hour set busy_s = busy_s - 1 where hour = ${first}`)
    for (let turn = 0; turn < 50 && rollUp(store, begin_ms + 2 * hour_ms); turn++);
    assert.deepEqual(checkWork(books()), [], `seed ${seed}, rolled up`)
    store.close()
  }
})
