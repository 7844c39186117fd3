import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { openJournal } from './journal.ts'
import { listJournals } from './journal-reader.ts'
import { batchesIn, dropResults, holdsResults, resultsOf } from './journal-results.ts'
import { count } from './ledger.ts'
import { openStore } from './store.ts'
import { takeJournals } from './take-journals.ts'
import { closeRow, gateway, openRow, testHome } from './testing.ts'

test('a result is durable with its row, forgotten when told, and kept over the death of its gateway until somebody takes it', async () => {
  using home = testHome()
  const { journals } = home
  const journal = openJournal({ directory: journals, incarnation: gateway, onState: () => assert.fail() })
  const append = (number: number, batch?: string): Promise<boolean> =>
    new Promise((told) => {
      const row = closeRow(number, { price_version: null })
      journal.append(openRow(number, { price_version: null }), () => undefined)
      journal.append(row, told, batch === undefined ? undefined : { batch, body: `answer ${number}` })
    })
  assert.equal(await append(1, 't/a'), true)
  await Promise.all([append(2), append(3, 't/a'), append(4, 't/b')])
  const bodies = (batch: string): string[] => resultsOf(journals, gateway, batch).map(({ body }) => body)
  assert.deepEqual([bodies('t/a'), bodies('t/b'), bodies('t/c')], [['answer 1', 'answer 3'], ['answer 4'], []])
  journal.forget([closeRow(1).id])
  for (let tries = 0; bodies('t/a').length > 1; tries++, await after(10)) assert(tries < 500, 'never forgotten')
  await journal.close()

  const store = openStore(home)
  while (takeJournals(store, journals, Date.now));
  assert.equal(count(store.database, 'select count(*) as n from request'), 4, 'it is in the books')
  assert.deepEqual(listJournals(journals), [gateway], 'and stays for what it holds')
  assert.deepEqual(batchesIn(journals, gateway).sort(), ['t/a', 't/b'])
  dropResults(journals, gateway, 't/a')
  assert.equal(holdsResults(journals, gateway), true)
  dropResults(journals, gateway, 't/b')
  while (takeJournals(store, journals, Date.now));
  assert.deepEqual(listJournals(journals), [])
  assert.equal(holdsResults(journals, gateway), false)
  assert.deepEqual(listJournals(journals), [], 'looking makes no file')
  store.close()
})
