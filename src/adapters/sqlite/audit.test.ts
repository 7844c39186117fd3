import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Audit } from './audit.ts'
import { check } from './check.ts'
import { ingestJournal } from './ingest.ts'
import { openStore } from './store.ts'
import { StoreError } from './store-error.ts'
import { closeRow, gateway, journaled, setTestPrice, testHome } from './testing.ts'

test('beside the factory it finds what it finds in it; who asks meanwhile gets the same answer, and the last one stays', async () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  ingestJournal(store, gateway, journaled([closeRow(1), closeRow(2)]))
  let now = 1000
  const audit = new Audit(home, () => now++)
  const last = () => audit.last
  assert.equal(last(), undefined)
  const [first, second] = [audit.check(), audit.check()]
  assert.equal(first, second)
  assert(audit.running)
  const found = await first
  assert.deepEqual(found, JSON.parse(JSON.stringify(check(store))))
  assert.equal(found.requests, 2)
  assert.deepEqual([audit.running, last()?.at_ms, last()?.check], [false, 1000, found])

  store.database.exec("update request set hash = 'x' where id = (select min(id) from request)")
  assert.equal((await audit.check()).conserved, false, 'a later one reads anew')
  store.close()
})

test('books that cannot be read are an error, and not a finding', async () => {
  using home = testHome()
  await assert.rejects(new Audit(home, Date.now).check())
})

test('a store that cannot be read is told by its fault, out of the thread too', async () => {
  using home = testHome()
  const away = { ...home, database: 'postgres://someone@127.0.0.1:1/books' }
  await assert.rejects(
    new Audit(away, () => 1000).check(),
    (error) => error instanceof StoreError && error.fault === 'unreachable',
  )
})
