import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statement } from '../src/adapters/sqlite/answers.ts'
import { declareRates, setCurrency } from '../src/adapters/sqlite/exchange.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { ingestJournal, journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { openStore } from '../src/adapters/sqlite/store.ts'
import { closeTerms } from '../src/adapters/sqlite/terms/close-terms.ts'
import { grantCredit } from '../src/adapters/sqlite/terms/credits.ts'
import {
  closeRow,
  dice,
  embeddedUsage,
  gateway,
  journaled,
  setTestPrice,
  testHome,
} from '../src/adapters/sqlite/testing.ts'
import { parseRate } from '../src/books/exchange/rate.ts'
import { nanoDollars } from '../src/units/amount.ts'
import { id } from '../src/units/ids.ts'
import { checkExchange } from './audit/exchange.ts'
import { parseExport } from './audit/read.ts'
import type { Books, StatementRecord } from './audit/records.ts'

const day_ms = 86_400_000
const start_ms = Date.UTC(2026, 0, 1)

test('an auditor who multiplies by himself finds the statement in euros right, and each number of it that was changed', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const rates = ['0.923456789012', '0.9111', '0.876543210987'].map((text, at) => ({
    day: start_ms / day_ms + 4 * at,
    rate: parseRate(text) ?? assert.fail(),
  }))
  declareRates(store, { currency: 'EUR', rates, note: '', correct: false }, start_ms)
  setCurrency(store, { tenant: 'acme', currency: 'EUR', from_day: start_ms / day_ms, note: '' }, start_ms)
  const credit = { tenant: 'acme', kind: 'prepaid', from_hour: undefined, until_hour: null, id: 'c', note: '' } as const
  grantCredit(store, { ...credit, amount: nanoDollars(10n ** 7n) }, start_ms)
  const roll = dice(11)
  const rows = Array.from({ length: 200 }, (_, at) => {
    const closed_ms = start_ms + roll(12 * day_ms)
    const attempts = [{ number: 1, replica: id<never>('hosted'), usage: embeddedUsage(roll(5000), roll(9), roll(700)) }]
    return closeRow(at + 1, { at_ms: closed_ms, closed_ms, tenant: id('acme'), model: id('m'), attempts })
  })
  ingestJournal(store, gateway, journaled(rows))
  journalReadTo(store, gateway, start_ms + 31 * day_ms)
  for (let turn = 0; turn < 100 && closeTerms(store, start_ms + 31 * day_ms); turn++);
  const books = parseExport([...exportBooks(store)].join(''))
  const made = statement(store, id('acme'), start_ms, start_ms + 31 * day_ms) as StatementRecord
  assert.deepEqual(checkExchange(books, [made]), [])
  assert.notEqual(made.billing?.credit, '0')

  const billing = made.billing ?? assert.fail('no billing')
  const [line, ...lines] = made.lines
  const exchange = books.exchange ?? assert.fail('no rates in the export')
  const dearer = exchange.rates.map((one, at) => (at === 1 ? { ...one, rate: one.rate + 10n ** 6n } : one))
  const spoilt: [string, Books, StatementRecord][] = [
    ['rate', { ...books, exchange: { ...exchange, rates: dearer } }, made],
    ['no rate', { ...books, exchange: { ...exchange, rates: [] } }, made],
    ['request', { ...books, requests: books.requests.slice(1) }, made],
    ['credit', { ...books, transfers: books.transfers.filter(({ id }) => !id.startsWith('terms/')) }, made],
    ['total', books, { ...made, billing: { ...billing, total: '1', due: '1' } }],
    ['due', books, { ...made, billing: { ...billing, due: '0.000000001' } }],
    ['line', books, { ...made, lines: [{ ...line, billed: '9.9' }, ...lines] }],
    ['currency', books, { ...made, billing: { ...billing, currency: 'JPY' } }],
    ['dollars alone', books, { ...made, billing: undefined }],
  ]
  for (const [what, of, statement] of spoilt) assert(checkExchange(of, [statement]).length > 0, what)
  store.close()
})
