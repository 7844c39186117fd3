import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PostgresDatabase } from '../postgres/postgres-database.ts'
import { check } from './check.ts'
import { ingestJournal, journalCursor } from './ingest.ts'
import { count } from './ledger.ts'
import { all, allBig, one, run, stream } from './query.ts'
import { openStore } from './store.ts'
import { StoreError } from './store-error.ts'
import { closeRow, gateway, journaled, openRow, setTestPrice, testDatabase, testHome } from './testing.ts'

const here = { skip: testDatabase === undefined ? 'set WATTMILL_TEST_POSTGRES to the address of a PostgreSQL' : false }

const faultIs = (fault: string) => (error: unknown) => error instanceof StoreError && error.fault === fault

const connect = (): PostgresDatabase => new PostgresDatabase(testDatabase ?? '')

/** As a fault of the network or a restart of the database would. */
function cut(store: { readonly database: PostgresDatabase }): void {
  const pid = one<{ pid: number }>(store.database, 'select pg_backend_pid() as pid')?.pid ?? 0
  const other = connect()
  run(other, 'select pg_terminate_backend(cast(? as int))', pid)
  while (one(other, 'select 1 from pg_stat_activity where pid = ?', pid));
  other.close()
}

test('values come back as SQLite gives them: integers as asked, truth as 1 or 0, amounts whole', here, () => {
  const database = connect()
  const sql = `select 9007199254740993 as large, 12345678901234567890123::numeric as amount, 1.5::float8 as level,
    2 > 1 as truth, null::text as nothing, 'ü' as word, count(*) as n from pg_class where false`
  assert.deepEqual(allBig(database, sql), [
    {
      large: 9007199254740993n,
      amount: 12345678901234567890123n,
      level: 1.5,
      truth: 1n,
      nothing: null,
      word: 'ü',
      n: 0n,
    },
  ])
  assert.deepEqual(all(database, 'select 7 as n, 2 < 1 as truth'), [{ n: 7, truth: 0 }])
  database.close()
})

test('a stream is read in pieces, may be nested, left early, and read outside of a transaction', here, () => {
  const database = connect()
  const numbers = 'select n from generate_series(1, ?) n'
  for (const within of [false, true]) {
    if (within) database.exec('begin')
    let [sum, rows] = [0n, 0]
    for (const { n } of stream<{ n: bigint }>(database, numbers, 2500)) {
      sum += n
      rows++
      if (rows % 1000 === 0)
        for (const inner of stream<{ n: bigint }>(database, numbers, 1500)) if (inner.n === 3n) break
    }
    assert.deepEqual([sum, rows], [3126250n, 2500])
    if (within) database.exec('commit')
  }
  assert.equal(count(database, "select count(*) as n from pg_cursors where name like 'c%'"), 0)
  database.close()
})

test('one writer at a time; the next one when it is gone', here, () => {
  using home = testHome()
  const store = openStore(home)
  assert.throws(() => openStore(home), faultIs('locked'))
  store.close()
  const next = openStore(home)
  next.close()
})

test(
  'a connection that is cut in the middle of a transaction leaves nothing of it; the next one is made by itself',
  here,
  () => {
    using home = testHome()
    const store = openStore(home)
    setTestPrice(store)
    const database = store.database as PostgresDatabase
    const rows = journaled([openRow(1), closeRow(1), openRow(2)])
    assert.throws(
      () =>
        store.transaction(() => {
          ingestJournal(store, gateway, rows)
          cut({ database })
          ingestJournal(store, gateway, rows)
        }),
      faultIs('unreachable'),
    )
    assert.equal(database.inTransaction, false)
    assert.equal(journalCursor(store, gateway).seq, 0)
    ingestJournal(store, gateway, rows)
    cut({ database })
    ingestJournal(store, gateway, rows) // the same again: nothing is doubled
    assert.deepEqual([check(store).conserved, count(database, 'select count(*) as n from request')], [true, 1])
    assert.throws(() => openStore(home), faultIs('locked'), 'the lock was taken again with the connection')
    store.close()
  },
)

test("an answer that comes too late is not taken for the next question's", here, () => {
  const database = new PostgresDatabase(testDatabase ?? '', { answer_ms: 300 })
  assert.throws(() => one(database, 'select 1 as n from pg_sleep(1)'), /no answer/)
  const until = Date.now() + 1500
  for (let n = 2; Date.now() < until; n++) assert.deepEqual(one(database, 'select cast(? as int) as n', n), { n })
  database.close()
})

test('what fails within a transaction and is passed over undoes all of it, and says so', here, () => {
  const database = connect()
  database.exec('begin')
  assert.throws(() => run(database, 'select 1 from nowhere'))
  assert.throws(() => database.exec('commit'), /had failed/)
  database.close()
})

test('a database that is not there is told as such, without the password', here, () => {
  using home = testHome()
  const away = { ...home, database: 'postgres://someone:secret@127.0.0.1:1/books' }
  assert.throws(
    () => openStore(away),
    (error) =>
      faultIs('unreachable')(error) && !String(error).includes('secret') && /127\.0\.0\.1:1\/books/.test(String(error)),
  )
})
