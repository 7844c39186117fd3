import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../adapters/sqlite/explain.ts'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { closeRow, embeddedUsage, gateway, journaled, setTestPrice, testHome } from '../../adapters/sqlite/testing.ts'
import { id } from '../../units/ids.ts'
import { explainView } from './explain-view.ts'

test('a hedge is told with its reason, and the attempt that lost as waste', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const row = closeRow(1, {
    attempts: [
      { number: 1, replica: id('slow'), usage: embeddedUsage(100, 0, 0), lost: true },
      { number: 2, replica: id('quick'), usage: embeddedUsage(100, 0, 30), hedge: { after_ms: 480, expected_ms: 120 } },
    ],
  })
  ingestJournal(store, gateway, journaled([row]))
  const found = explain(store, row.id)
  assert(found)
  const text = explainView(found).join('\n')
  assert.match(text, /1\. slow \(waste: hedge\)/)
  assert.match(text, /2\. quick, a hedge: no first token after 480 ms, 120 ms were expected/)
  assert.match(text, /waste\/hedge/)
  store.close()
})

test('why a replica was chosen is told in money, part by part', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const parts = { prefill: 200_000, decode: 500_000, eviction: 0, waiting: 30_000, behind: 0, late: 1_000 }
  const choice = {
    of: 3,
    nano_usd: parts,
    next: { replica: id<never>('hosted'), nano_usd: { ...parts, decode: 900_000 } },
  }
  const attempts = [{ number: 1, replica: id<never>('own'), usage: embeddedUsage(100, 0, 30), choice }]
  const row = closeRow(1, { attempts })
  ingestJournal(store, gateway, journaled([row]))
  const found = explain(store, row.id)
  assert(found)
  const text = explainView(found).join('\n')
  const own = '$0.000731 (prefill $0.0002 + decode $0.0005 + waiting $0.00003 + late $0.000001)'
  assert(text.includes(`1. of 3 for ${own}; next hosted for $0.001131 (`), text)
  store.close()
})
