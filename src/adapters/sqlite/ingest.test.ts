import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '../../books/row.ts'
import { id } from '../../units/ids.ts'
import { check } from './check.ts'
import { ingestJournal } from './ingest.ts'
import { all } from './query.ts'
import type { Store } from './store.ts'
import { openStore } from './store.ts'
import { closeRow, dice, gateway, journaled, openRow, setTestPrice, testHome } from './testing.ts'

function withStore(work: (store: Store) => void): void {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  work(store)
  store.close()
}

const put = (store: Store) =>
  all<{ source: string; subject: string; reason: string }>(
    store.database,
    'select source, subject, reason from quarantine order by id',
  ).map(({ subject, reason }) => [subject, reason])

const transfers = (store: Store) => all(store.database, 'select * from transfer order by id')

const lively = (n: number): Row[] => Array.from({ length: n }, (_, index) => [openRow(index), closeRow(index)]).flat()

test('rows read twice, from the start or in pieces that overlap are booked once', () => {
  for (let seed = 0; seed < 30; seed++)
    withStore((store) => {
      const roll = dice(seed)
      const rows = journaled(lively(20))
      for (let at = 0; at < rows.length; ) {
        const from = Math.max(0, at - roll(5))
        const to = at + 1 + roll(6)
        ingestJournal(store, gateway, rows.slice(from, to))
        at = Math.min(rows.length, to)
      }
      ingestJournal(store, gateway, rows)
      const found = check(store)
      assert.equal(found.conserved, true, `seed ${seed} ${JSON.stringify(found.first_broken)}`)
      assert.deepEqual([found.requests, found.open, found.quarantined], [20, 0, 0], `seed ${seed}`)
      assert.equal(transfers(store).length, 20 * 6, 'three classes of tokens, and their charges')
    })
})

test('the same id with another payload is put aside: first come, first booked', () => {
  withStore((store) => {
    const rows = journaled([
      openRow(1),
      closeRow(1),
      closeRow(1),
      closeRow(1, { outcome: 'timeout' }),
      openRow(2),
      openRow(2, { at_ms: 5 }),
    ])
    ingestJournal(store, gateway, rows)
    assert.deepEqual(put(store), [
      ['4', 'conflict'],
      ['6', 'conflict'],
    ])
    const found = check(store)
    assert.deepEqual([found.conserved, found.requests, found.open, found.doubled], [true, 1, 1, 0])
  })
})

test('a close row before its open row settles the request all the same', () => {
  withStore((store) => {
    ingestJournal(store, gateway, journaled([closeRow(1), openRow(1)]))
    assert.deepEqual([check(store).requests, check(store).open], [1, 0])
  })
})

test('a missing row stops the reading of that journal and is shown as lost', () => {
  withStore((store) => {
    const rows = journaled(lively(3))
    const { seq, gap_at } = ingestJournal(store, gateway, [...rows.slice(0, 2), ...rows.slice(3)])
    assert.deepEqual([seq, gap_at], [2, 3])
    assert.deepEqual(ingestJournal(store, gateway, rows), { seq: 2, gap_at: 3 })
    const found = check(store)
    assert.deepEqual([found.lost, found.conserved, found.requests], [1, false, 1])
    assert.deepEqual(put(store), [['3', 'gap']])
  })
})

test('what cannot be booked rightly is not booked: damaged, of another version, of another gateway, at an unknown price', () => {
  withStore((store) => {
    const odd = journaled([
      openRow(1, {}, id('other')),
      closeRow(2, { price_version: 77 }),
      closeRow(3, {
        attempts: [
          { number: 1, replica: id('r'), usage: { ...usageOf(3), reasoning: { tokens: -1, source: 'engine' } } },
        ],
      } as never),
      closeRow(4),
    ]).map((row) => (row.seq === 3 ? { ...row, row: undefined } : row))
    ingestJournal(store, gateway, odd)
    assert.deepEqual(put(store), [
      ['1', 'not_its_own'],
      ['2', 'unknown_price'],
      ['3', 'unreadable'],
    ])
    const found = check(store)
    assert.deepEqual([found.requests, found.conserved, found.quarantined], [1, true, 3])
  })
})

const usageOf = (number: number) => closeRow(number).attempts[0]?.usage ?? assert.fail()
