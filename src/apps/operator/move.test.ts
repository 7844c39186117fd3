import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { home as homeAt, makeHome } from '../../adapters/files/home.ts'
import { check } from '../../adapters/sqlite/check.ts'
import { exportBooks } from '../../adapters/sqlite/export.ts'
import { createKey, type NewKey } from '../../adapters/sqlite/registry/keys.ts'
import { createApplication } from '../../adapters/sqlite/registry/tenants.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { setTestPrice, testDatabase, testHome } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { id } from '../../units/ids.ts'
import { newKeeper } from './keeper.ts'
import { moveStore, placeStore } from './place-store.ts'

const here = { skip: testDatabase === undefined ? 'set WATTMILL_TEST_POSTGRES to the address of a PostgreSQL' : false }

const newKey: NewKey = {
  tenant: id('acme'),
  application: id('later'),
  models: null,
  requests_per_minute: null,
  tokens_per_minute: null,
  expires_ms: null,
  slo: 'standard',
}

test(
  'a store moves to PostgreSQL and back without loss, goes on in between, and stays where it was when it cannot',
  here,
  () => {
    using target = testHome()
    const root = mkdtempSync(join(tmpdir(), 'wattmill-test-'))
    const home = makeHome(root)
    const held = makeDay(home, 5)
    const keep = (now: number): void => {
      const store = openStore(homeAt(root))
      if (now === dayEnd_ms) {
        setTestPrice(store)
        for (const name of ['later', 'earlier']) createApplication(store, 'acme', name, 1)
        createKey(store, Buffer.alloc(32), newKey, now)
      }
      const meter = { idleWatts: 20, fullWatts: 60 }
      const keeper = newKeeper({
        home: homeAt(root),
        store,
        meter,
        now: () => now,
        log: assert.fail,
        readers: [silentMeter],
      })
      if (now === dayEnd_ms) keeper.sample()
      for (let turn = 0; turn < 3 || keeper.tick(); turn++) keeper.tick()
      assert.equal(check(store).conserved, true)
      keeper.close()
      store.close()
    }
    const books = () => [...exportBooks({ home: homeAt(root) })].join('')
    keep(dayEnd_ms)
    const before = books()
    assert(before.length > 100_000, 'there is something to move')

    const url = target.database ?? ''
    const moved = moveStore(homeAt(root), url)
    assert.equal(homeAt(root).database, url)
    assert.equal(books(), before)
    assert(moved.tables.some(({ table, rows }) => table === 'transfer' && rows > 100))
    assert(!existsSync(home.store) && readdirSync(root).some((name) => name.startsWith('wattmill.db.moved')))
    keep(dayEnd_ms + 5000)
    const later = books()
    assert.notEqual(later, before, 'the journals and logs go on where they were read to')

    moveStore(homeAt(root), undefined)
    assert.equal(homeAt(root).database, undefined)
    assert.equal(books(), later)
    keep(dayEnd_ms + 10_000)
    assert.throws(
      () => moveStore(homeAt(root), url),
      /holds a store already/,
      'what is there already is not written over',
    )
    assert.equal(homeAt(root).database, undefined)
    keep(dayEnd_ms + 15_000)
    assert.throws(() => placeStore(homeAt(root), url), /the store of this home is/)
    held[Symbol.dispose]()
    rmSync(root, { recursive: true, force: true })
  },
)

test('where no factory is there is none to move, and none is made', () => {
  const root = join(tmpdir(), 'wattmill-no-such-home')
  assert.throws(() => moveStore(homeAt(root), 'postgres://nobody@127.0.0.1:1/none'), { code: 'no_factory' })
  assert(!existsSync(root))
})
