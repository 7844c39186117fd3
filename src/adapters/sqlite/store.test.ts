import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { count } from './ledger.ts'
import { one, run } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { migrate, openStore } from './store.ts'
import { StoreError } from './store-error.ts'
import { ofSqlite, testHome } from './testing.ts'

const faultIs = (fault: string) => (error: unknown) =>
  error instanceof StoreError && error.fault === fault && error.next.length > 10

test('a store has one writer; when it closes, the next may open it', () => {
  using home = testHome()
  const store = openStore(home)
  assert.throws(() => openStore(home), faultIs('locked'))
  store.close()
  openStore(home).close()
})

test(
  'a file that is no store, a later schema and a missing folder are told apart, and the file is left as it was',
  ofSqlite,
  () => {
    using home = testHome()
    writeFileSync(home.store, 'not a database, but long enough to be taken for one'.repeat(100))
    assert.throws(() => openStore(home), faultIs('corrupt'))
    using later = testHome()
    openStore(later).close()
    const database = new SqliteDatabase(later.store)
    database.exec('pragma user_version = 999')
    database.close()
    assert.throws(() => openStore(later), faultIs('newer_schema'))
    assert.throws(() => openStore({ ...home, store: join(home.root, 'nowhere', 'x.db') }), faultIs('no_permission'))
  },
)

test('migrations run once each, in order, all of one or nothing of it', () => {
  using home = testHome()
  const database = new SqliteDatabase(':memory:')
  const version = () => one<{ user_version: number }>(database, 'pragma user_version')?.user_version
  writeFileSync(join(home.root, '000001.sql'), 'create table a (x integer)')
  migrate(database, 'test', home.root)
  writeFileSync(join(home.root, '000002.sql'), 'create table b (x integer); create table a (x integer)')
  assert.throws(() => migrate(database, 'test', home.root), /already exists/)
  assert.equal(version(), 1)
  assert.equal(count(database, "select count(*) as n from sqlite_schema where name = 'b'"), 0)
  writeFileSync(join(home.root, '000002.sql'), 'create table b (x integer)')
  migrate(database, 'test', home.root)
  migrate(database, 'test', home.root)
  assert.equal(version(), 2)
})

test('a full disk is a fault of its own, and nothing of the transaction stays', ofSqlite, () => {
  using home = testHome()
  const store = openStore(home)
  const pages = Number(one<{ page_count: number }>(store.database, 'pragma page_count')?.page_count)
  store.database.exec(`pragma max_page_count = ${pages + 2}`)
  const fill = (): void => {
    for (let n = 0; n < 10_000; n++)
      run(store.database, 'insert into tenant (id, created_ms) values (?, 0)', `tenant ${n} ${'x'.repeat(100)}`)
  }
  assert.throws(() => store.transaction(fill), faultIs('full'))
  assert.equal(count(store.database, 'select count(*) as n from tenant'), 0)
  store.close()
})
