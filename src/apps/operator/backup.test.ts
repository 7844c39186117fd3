import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { home as homeAt, makeHome } from '../../adapters/files/home.ts'
import { readManifest } from '../../adapters/sqlite/backup.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { exportBooks } from '../../adapters/sqlite/export.ts'
import { all } from '../../adapters/sqlite/query.ts'
import { createKey } from '../../adapters/sqlite/registry/keys.ts'
import { SqliteDatabase } from '../../adapters/sqlite/sqlite-database.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { ofSqlite, onPostgres, setTestPrice, testHome } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { id } from '../../units/ids.ts'
import { newKeeper } from './keeper.ts'
import { backUp, migrateStore, restoreStore } from './place-store.ts'

const silent = (): void => undefined

test('a backup made while the store is written is read back, on either database, to the same books; half of one never is', () => {
  using home = testHome()
  using empty = testHome() // where there is a PostgreSQL, its schema is the other target
  const root = mkdtempSync(join(tmpdir(), 'wattmill-backup-'))
  const held = makeDay(home, 3)
  const store = openStore(home)
  setTestPrice(store)
  const pepper = Buffer.alloc(32)
  const asked = { tenant: id('acme'), application: id('app'), models: null, requests_per_minute: null } as const
  createKey(store, pepper, { ...asked, tokens_per_minute: null, expires_ms: null, slo: 'standard' } as never, 1)
  const meter = { idleWatts: 20, fullWatts: 60 }
  const now = () => dayEnd_ms
  const keeper = newKeeper({ home, store, meter, now, log: assert.fail, readers: [silentMeter] })
  keeper.sample()
  for (let turn = 0; turn < 3 || keeper.tick(); turn++) keeper.tick()
  const books = (of: string): string => [...exportBooks({ home: homeAt(of) })].join('')
  const before = books(home.root)
  assert(before.length > 50_000, 'there is something to write')

  const folder = join(root, 'backup')
  const manifest = backUp(home, folder, 'wattmill-backup', silent)
  assert(manifest.tables.some(({ table, rows }) => table === 'transfer' && rows > 50))
  assert.equal(readdirSync(root).length, 1, 'no part is left')
  if (process.platform !== 'win32') assert.equal(statSync(join(folder, 'api_key.ndjson')).mode & 0o077, 0)
  assert.throws(() => backUp(home, folder, 'wattmill-backup', silent), /is there already/)
  assert.throws(() => restoreStore(homeAt(home.root), folder, undefined), /has a store already/)

  const full = (): never => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }
  assert.throws(() => backUp(home, join(root, 'cut'), 'wattmill-backup', full), /no space/)
  assert.equal(readdirSync(root).length, 1, 'nor of one that was cut off')

  makeHome(join(root, 'a'))
  writeFileSync(join(root, 'a', 'wattmill.db.part'), 'what a restore that was killed has left')
  const restored = restoreStore(homeAt(join(root, 'a')), folder, undefined)
  assert.equal(books(join(root, 'a')), before)
  assert.deepEqual(restored.tables, manifest.tables)
  if (onPostgres) {
    restoreStore(homeAt(join(root, 'b')), folder, empty.database)
    assert.equal(books(join(root, 'b')), before)
    assert.throws(() => restoreStore(homeAt(join(root, 'c')), folder, empty.database), /holds a store already/)
    assert.equal(homeAt(join(root, 'c')).database, undefined)
  }
  const again = openStore(homeAt(join(root, 'a')))
  assert.equal(check(again).conserved, true)
  assert.equal(
    backUp(again.home, join(root, 'second'), 'wattmill-backup', silent).tables.length,
    manifest.tables.length,
  )
  assert.deepEqual(readManifest(join(root, 'second')).tables, manifest.tables, 'a backup of the copy is the same')
  again.close()

  const exported = join(root, 'export')
  backUp(home, exported, 'wattmill-export', silent)
  assert(!existsSync(join(exported, 'session.ndjson')))
  assert(readFileSync(join(folder, 'api_key.ndjson'), 'utf8').includes('"hash"'))
  assert(!readFileSync(join(exported, 'api_key.ndjson'), 'utf8').includes('"hash"'))
  const fails = (from: string, why: RegExp): void => {
    assert.throws(() => restoreStore(homeAt(join(root, 'd')), from, undefined), why)
    const left = existsSync(join(root, 'd'))
      ? readdirSync(join(root, 'd')).filter((name) => /wattmill|store/.test(name))
      : []
    assert.deepEqual(left, [], 'nothing of a store is left')
  }
  fails(exported, /is an export/)
  fails(root, /no manifest/)
  const transfers = join(folder, 'transfer.ndjson')
  const whole = readFileSync(transfers)
  writeFileSync(transfers, whole.subarray(0, whole.length - 20))
  fails(folder, /not what the manifest says/)
  writeFileSync(transfers, whole)
  appendFileSync(transfers, `${whole.toString().split('\n')[0]}\n`)
  fails(folder, /not what the manifest says/)
  rmSync(transfers)
  fails(folder, /is missing/)

  keeper.close()
  store.close()
  held[Symbol.dispose]()
  rmSync(root, { recursive: true, force: true })
})

test('what migrating would do is said first; then it is done once', () => {
  using home = testHome()
  openStore(home).close()
  const { from, to, scripts, done } = migrateStore(home, false)
  assert.deepEqual([from, scripts, done], [to, [], false])
  const old = openStore(home)
  if (onPostgres) old.database.exec('update schema_version set version = version + 1')
  else old.database.exec(`pragma user_version = ${to + 1}`)
  old.close()
  assert.throws(() => migrateStore(home, true), /a newer version/)
})

test('tables of an earlier version are brought up to date', ofSqlite, () => {
  using home = testHome()
  const early = new SqliteDatabase(home.store)
  const script = readFileSync('sql/000001.sql', 'utf8')
  early.exec(`${script}; pragma user_version = 1`)
  early.close()
  const would = migrateStore(home, true)
  assert.deepEqual(
    [would.from, would.scripts[0], would.scripts.length, would.done],
    [1, '000002.sql', would.to - 1, false],
  )
  assert.equal(migrateStore(home, true).from, 1, 'to ask changes nothing')
  assert.equal(migrateStore(home, false).done, true)
  assert.equal(migrateStore(home, true).from, would.to)
})

test('what was answered before there were sites was answered at the main one', ofSqlite, () => {
  using home = testHome()
  const early = new SqliteDatabase(home.store)
  const script = readdirSync('sql').filter((name) => /^\d{6}\.sql$/.test(name) && name < siteScript)
  for (const name of script.sort()) early.exec(readFileSync(`sql/${name}`, 'utf8'))
  early.exec(`pragma user_version = ${script.length};
    insert into tally values (3600, 'factory', 7200, '', 'nano_usd', 5), (3600, 'factory', 7200, '', 'wasted', 3),
      (3600, 'factory', 7200, '', 'drawn/measured', 9), (3600, 'model', 7200, 'm', 'nano_usd', 5);
    insert into pnl_sum values (1, 'factory', 2, '', '', 'nano_usd', 5), (1, 'model', 2, '', 'm', 'nano_usd', 5),
      (1, 'factory', 2, 'capacity/gpu', 'cost/usage', 'nano-USD', 4);
    insert into statement_part values ('t', 2, 'a', 'm', 0, '', 'reasoning', 6, 7, 8);
    insert into rolled_part values ('t', 2, 'a', 'm', 0, '', 'reasoning', 6, 7, 8);
    insert into request values ('gw-1', 't', 'a', 'k', 'm', null, 'complete', 1, 2, '{}', 'h', 1)`)
  early.close()
  const store = openStore(home)
  const rows = (sql: string) => all<object>(store.database, sql).map((row) => ({ ...row }))
  const sites = (table: string) => rows(`select name, measure, amount from ${table} where dimension = 'site'`)
  const earned = [{ name: 'main', measure: 'nano_usd', amount: 5 }]
  assert.deepEqual([sites('tally'), sites('pnl_sum')], [earned, earned])
  assert.deepEqual(rows('select site from request'), [{ site: 'main' }])
  for (const table of ['statement_part', 'rolled_part'])
    assert.deepEqual(rows(`select site, model, price_version, tokens, amount from ${table}`), [
      { site: 'main', model: 'm', price_version: 0, tokens: 7, amount: 8 },
    ])
  store.close()
})

/** That which brought them. */
const siteScript = '000034.sql'
