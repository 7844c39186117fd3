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
