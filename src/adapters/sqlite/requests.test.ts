import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloseRow, Outcome } from '../../books/row.ts'
import { isBilled } from '../../books/row.ts'
import { id } from '../../units/ids.ts'
import { ingestJournal } from './ingest.ts'
import { all } from './query.ts'
import type { Wanted } from './requests.ts'
import { requestsPage } from './requests.ts'
import type { Store } from './store.ts'
import { openStore } from './store.ts'
import { closeRow, dice, gateway, journaled, ofSqlite, setTestPrice, testHome } from './testing.ts'

const outcomes: readonly Outcome[] = ['complete', 'complete', 'complete', 'client_closed', 'timeout', 'truncated']

function factory(seed: number): { rows: CloseRow[]; run: (work: (store: Store) => void) => void } {
  const roll = dice(seed)
  const rows = Array.from({ length: 300 }, (_, number) =>
    closeRow(number + 1, {
      tenant: id(`t${roll(3)}`),
      application: id(`a${roll(2)}`),
      key: id(`k${roll(4)}`),
      model: id(`m${roll(2)}`),
      outcome: outcomes[roll(outcomes.length)] ?? 'complete',
      closed_ms: 2_000_000 + roll(100), // many in the same millisecond
    }),
  )
  return {
    rows,
    run(work) {
      using home = testHome()
      const store = openStore(home)
      setTestPrice(store)
      ingestJournal(store, gateway, journaled(rows))
      work(store)
      store.close()
    },
  }
}

const fits = (row: CloseRow, { tenant, application, model, key, outcome }: Wanted): boolean =>
  (tenant === undefined || row.tenant === tenant) &&
  (application === undefined || row.application === application) &&
  (model === undefined || row.model === model) &&
  (key === undefined || row.key === key) &&
  (outcome === undefined || (outcome === 'failed' ? !isBilled(row.outcome) : row.outcome === outcome))

const order = (a: CloseRow, b: CloseRow): number => b.closed_ms - a.closed_ms || (a.id < b.id ? 1 : -1)

test('page by page one sees every request that is wanted once, newest first, whatever is wanted', () => {
  const { rows, run } = factory(7)
  const roll = dice(11)
  run((store) => {
    for (let round = 0; round < 60; round++) {
      const wanted: Wanted = {
        tenant: roll(2) ? `t${roll(3)}` : undefined,
        application: roll(3) === 0 ? `a${roll(2)}` : undefined,
        model: roll(3) === 0 ? `m${roll(2)}` : undefined,
        key: roll(4) === 0 ? `k${roll(4)}` : undefined,
        outcome: roll(2) ? ['failed', 'timeout', 'complete'][roll(3)] : undefined,
      }
      const seen: string[] = []
      for (let before: Wanted['before'] | null; before !== null; ) {
        const page = requestsPage(store, 7, { ...wanted, before })
        seen.push(...page.requests.map((line) => line.id))
        before = page.next
        assert(seen.length <= rows.length, 'it comes to an end')
      }
      const expected = rows.filter((row) => fits(row, wanted)).toSorted(order)
      assert.deepEqual(
        seen,
        expected.map((row) => String(row.id)),
        JSON.stringify(wanted),
      )
    }
  })
})

test('every way to ask goes by an index: none looks through all requests', ofSqlite, () => {
  const { run } = factory(3)
  run((store) => {
    const asked: Wanted[] = [
      {},
      { tenant: 't1' },
      { tenant: 't1', application: 'a1' },
      { model: 'm1' },
      { key: 'k1' },
      { outcome: 'failed' },
      { outcome: 'timeout', model: 'm1' },
    ]
    const iterate = store.database.iterate.bind(store.database)
    const plans: string[] = []
    store.database.iterate = (sql, values, integers) => {
      plans.push(
        all<{ detail: string }>(store.database, `explain query plan ${sql}`, ...values)
          .map((row) => row.detail)
          .join('; '),
      )
      return iterate(sql, values, integers)
    }
    for (const wanted of asked) requestsPage(store, 5, wanted)
    assert.equal(plans.length, asked.length)
    for (const plan of plans) {
      assert.match(plan, /SEARCH request USING INDEX request_\w+ \(/)
      assert.doesNotMatch(plan, /TEMP B-TREE FOR ORDER BY/, 'only those of one millisecond are sorted')
    }
  })
})
