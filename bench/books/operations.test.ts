import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeHome } from '../../src/adapters/files/home.ts'
import { check } from '../../src/adapters/sqlite/check.ts'
import { Bookkeeper } from './bookkeeper.ts'

test('after thousands of things that happen the books hold exactly these, and one transfer less is missed', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-operations-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const keeper = new Bookkeeper(makeHome(root), 7, 600)
  for (let at = 0; at < 4000; at++) keeper.operate()
  keeper.finish()
  assert.deepEqual(keeper.compare(check(keeper.store)), [])
  const { requests, conflicts, nano_usd, hits, drawn_mj } = keeper.truth
  assert(requests > 1000 && conflicts > 0 && nano_usd > 0n && hits > 50)
  assert(drawn_mj.size > 1, 'quarters of two hours')

  keeper.store.database.exec("delete from transfer where id = (select min(id) from transfer where unit = 'nano-USD')")
  const wrong = keeper.compare(check(keeper.store))
  assert(
    wrong.some((line) => line.includes('nano-USD')) && wrong.some((line) => line.startsWith('the check found')),
    wrong.join('; '),
  )
  keeper.store.close()
})
