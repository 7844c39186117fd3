import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../../books/cost-hour.ts'
import type { CloseRow } from '../../../books/row.ts'
import { nanoDollars } from '../../../units/amount.ts'
import { id } from '../../../units/ids.ts'
import { check } from '../check.ts'
import { ingestJournal, journalReadTo, noteJournal } from '../ingest.ts'
import { one } from '../query.ts'
import { rollUp } from '../rollup.ts'
import type { Store } from '../store.ts'
import { closeRow, dice, gateway, journaled, measuredStore, testHome } from '../testing.ts'
import { closeHours } from './close-hours.ts'
import { declare } from './declarations.ts'
import { workIn } from './work-hours.ts'

const first = 500_016
const begin_ms = first * hour_ms

function serve(store: Store, seed: number, of = gateway): CloseRow[] {
  const roll = dice(seed)
  const rows = Array.from({ length: 50 }, (_, number): CloseRow => {
    const at_ms = begin_ms + roll(3 * hour_ms - 20_000)
    const more: Partial<CloseRow> = { at_ms, closed_ms: at_ms + 500 + roll(15_000), tenant: id(`t${roll(3)}`) }
    const base = closeRow(number + 1, more, of)
    const [attempt] = base.attempts
    assert(attempt)
    return {
      ...base,
      outcome: number % 5 === 0 ? ('timeout' as const) : ('complete' as const),
      attempts: [{ ...attempt, replica: id(number % 3 === 0 ? 'far' : 'gpu') }],
    }
  })
  noteJournal(store, of)
  ingestJournal(store, of, journaled(rows))
  return rows
}

function settle(store: Store, hours: number, of = [gateway]): void {
  const now_ms = begin_ms + hours * hour_ms + 5000
  for (const each of of) journalReadTo(store, each, now_ms)
  for (let turn = 0; turn < 1000 && closeHours(store, now_ms); turn++);
}

function costed(store: Store): void {
  const terms = { per: 'hour', amount: nanoDollars(2_000_000_000n) } as const
  declare(store, { kind: 'capacity', name: 'gpu', from_ms: begin_ms, terms, note: '' }, begin_ms + 4 * hour_ms)
}

test('what each held of an engine is its busy seconds to the nanosecond; so it stays when requests are rolled up', () => {
  for (const seed of [1, 2, 3]) {
    using home = testHome()
    const store = measuredStore(home)
    costed(store)
    const rows = serve(store, seed)
    settle(store, 4)
    const work = workIn(store, first, first + 4)
    assert.deepEqual(
      work.busy.map(({ replica, all_s }) => [replica, all_s]),
      [
        ['far', 3 * 3600],
        ['gpu', 4 * 3600],
      ],
      'far has no cost: its hours are those in which it worked',
    )
    for (const { replica, busy_s } of work.busy) {
      const held = work.shares.filter((share) => share.replica === replica)
      assert.equal(
        held.reduce((sum, { held_ns }) => sum + held_ns, 0n),
        BigInt(busy_s) * 1_000_000_000n,
        `seed ${seed}`,
      )
    }
    const output = rows.reduce((sum, { attempts }) => sum + (attempts[0]?.usage.output_visible?.tokens ?? 0), 0)
    assert.equal(
      work.shares.reduce((sum, { did }) => sum + did.decode, 0),
      output,
    )
    assert(work.shares.some(({ cause }) => cause === 'timeout'))
    assert(work.shares.every(({ kv_token_ms }) => kv_token_ms > 0n))
    assert.equal(check(store).first_broken, undefined)

    settle(store, 72)
    for (let turn = 0; turn < 100 && rollUp(store, begin_ms + 48 * hour_ms); turn++);
    assert.equal(one<{ n: number }>(store.database, 'select count(*) as n from request')?.n, 0)
    assert.deepEqual(workIn(store, first, first + 4), work)
    assert.equal(check(store).first_broken, undefined)
    store.close()
  }
})

test('a request that comes late is in the work of its hour; the check names work that is not what its requests say', () => {
  using home = testHome()
  const store = measuredStore(home)
  costed(store)
  serve(store, 4)
  settle(store, 4)
  const before = workIn(store, first, first + 4)
  serve(store, 5, id('gw2'))
  settle(store, 4, [gateway, id('gw2')])
  const after = workIn(store, first, first + 4)
  const decoded = ({ shares }: typeof after): number => shares.reduce((sum, { did }) => sum + did.decode, 0)
  assert.equal(decoded(after), 2 * decoded(before))
  assert.equal(check(store).first_broken, undefined)
  store.database.exec('update work_hour set kv_read = kv_read + 1 where hour = (select min(hour) from work_hour)')
  assert.match(JSON.stringify(check(store).first_broken), /work.*is not what its requests and logs say/)
  store.close()
})
