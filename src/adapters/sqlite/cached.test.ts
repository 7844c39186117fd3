import assert from 'node:assert/strict'
import { test } from 'node:test'
import { id } from '../../units/ids.ts'
import { receipt, statement } from './answers.ts'
import { check } from './check.ts'
import { ingestJournal } from './ingest.ts'
import { requestsPage } from './requests.ts'
import { openStore } from './store.ts'
import { closeRow, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'

test('an answer from the cache is a request in the books, with no tokens, no dollars and no joules', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const made = closeRow(1)
  const usage = made.attempts[0]?.usage ?? embeddedUsage(1, 1, 1)
  const hit = closeRow(2, { attempts: [], cached: { from: made.id, usage } })
  const statementOf = () => statement(store, id('acme'), 0, 10_000_000)
  ingestJournal(store, gateway, journaled([made]))
  const before = statementOf()
  ingestJournal(store, gateway, journaled([hit], 2))
  const { conserved, requests, quarantined } = check(store)
  assert.deepEqual([conserved, requests, quarantined], [true, 2, 0])

  const after = statementOf()
  assert.deepEqual(
    [after.requests, after.total_usd, after.requests_with_missing_counts],
    [2, before.total_usd, before.requests_with_missing_counts],
  )
  assert.deepEqual(after.lines, before.lines)

  const found = receipt(store, hit.id)
  assert(found?.state === 'settled')
  assert.deepEqual(found.cached, { from: made.id, usage, price: 'free' })
  assert.deepEqual([found.cost_usd, found.energy.energy_mj, found.energy.final], ['0', '0', true])
  assert.match(found.energy.attribution.how, /no engine worked/)
  const [line] = requestsPage(store, 1).requests
  assert.deepEqual([line?.cached, line?.cost_usd, line?.engine], [true, '0', null])
  store.close()
})
