import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { closeRow, gateway, journaled } from '../../adapters/sqlite/testing.ts'
import { owner } from './auth.ts'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import { dispatch } from './router.ts'
import { routes } from './routes/all.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'

type Json = { readonly [name: string]: unknown }

let operator: Operator
let factory: Reached
before(async () => {
  operator = await lonelyOperator()
  factory = await reach(operator.factory.home.root, () => undefined)
  await ask('POST', '/api/apps', { tenant: 'acme', name: 'support' })
})
const ask = (method: string, url: string, body?: unknown): Promise<Json> =>
  factory.json(method, url, body) as Promise<Json>

async function refused(method: string, url: string, body: unknown, code: string, param?: string): Promise<void> {
  await assert.rejects(ask(method, url, body), (error: unknown) => {
    assert(error instanceof ControlError, String(error))
    assert.deepEqual([error.code, error.param], [code, param], `${JSON.stringify(body)}: ${error.message}`)
    return true
  })
}

const now = new Date()
const month = now.toISOString().slice(0, 7)
const lastMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1)).toISOString().slice(0, 7)

test('what cannot be is refused, with its code and its field', async () => {
  const day = `${month}-01`
  const good = { currency: 'EUR', rates: [{ day, rate: '0.92' }] }
  const rates: [Json, string, string][] = [
    [{ ...good, currency: 'EUO' }, 'invalid_value', 'currency'],
    [{ ...good, currency: 'eur' }, 'invalid_value', 'currency'],
    [{ ...good, currency: 'USD' }, 'invalid_value', 'currency'],
    [{ ...good, rates: [] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [{ day, rate: '0' }] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [{ day, rate: '-0.92' }] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [{ day, rate: '0,92' }] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [{ day, rate: '0.1234567890123' }] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [{ day: '31 January', rate: '0.92' }] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [{ day: `${day}T12:00`, rate: '0.92' }] }, 'invalid_value', 'rates'],
    [{ ...good, rates: [...good.rates, { day, rate: '0.93' }] }, 'invalid_value', 'rates'],
    [{ ...good, day }, 'unknown_field', 'day'],
  ]
  for (const [body, code, param] of rates) await refused('POST', '/api/rates', body, code, param)
  assert.deepEqual((await ask('GET', '/api/rates')).rates, [])
  const to = { tenant: 'acme', currency: 'EUR' }
  await refused('PUT', '/api/tenants/currency', to, 'no_exchange_rate')
  await ask('POST', '/api/rates', { currency: 'EUR', rates: [{ day: `${month}-02`, rate: '0.92' }] })
  await refused('PUT', '/api/tenants/currency', to, 'no_exchange_rate')
  await refused('PUT', '/api/tenants/currency', { ...to, tenant: 'acmee' }, 'not_found', 'tenant')
  await refused('PUT', '/api/tenants/currency', { ...to, currency: 'EUO' }, 'invalid_value', 'currency')
  await refused('PUT', '/api/tenants/currency', { ...to, from: `${month}-02` }, 'invalid_value', 'from')
  await refused('PUT', '/api/tenants/currency', { ...to, from: `${lastMonth}-01` }, 'invalid_value', 'from')
  await refused(
    'GET',
    '/api/books/statement?tenant=acme&exchange_version=9',
    undefined,
    'not_found',
    'exchange_version',
  )
  await refused('GET', '/api/books/focus?tenant=acme&exchange_version=9', undefined, 'not_found', 'exchange_version')
})

/** By the starter's price, which is the first version: 0.000012 dollars. */
test('a tenant is billed in euros on its statement as JSON, CSV and page, in FOCUS, events and receipts; corrected later, and made again', async () => {
  const { store } = operator.factory
  await ask('POST', '/api/rates', {
    currency: 'EUR',
    rates: [{ day: `${lastMonth}-20`, rate: '0.923456789012' }],
    note: 'ECB',
  })
  await ask('PUT', '/api/tenants/currency', { tenant: 'acme', currency: 'EUR' })
  const [tenant] = (await ask('GET', '/api/tenants')).tenants as Json[]
  assert.equal(tenant?.currency, 'EUR')
  const at_ms = Date.parse(`${month}-01T00:30:00Z`)
  ingestJournal(store, gateway, journaled([closeRow(1, { at_ms, closed_ms: at_ms })]))
  const span = `tenant=acme&from=${month}-01&to=${month}-02`
  const issued = await ask('GET', `/api/books/statement?${span}`)
  const { billing, lines } = issued as { billing: Json; lines: Json[] }
  const exact = '0.000011081481468144'
  assert.deepEqual([issued.total_usd, billing.currency, billing.total], ['0.000012', 'EUR', '0.000011081'])
  assert.equal(
    lines.reduce((sum, { billed }) => sum + Number(String(billed).slice(2)), 0),
    11081,
  )
  const page = async (format: string, more = ''): Promise<string> => {
    const url = `/api/books/statement?${span}&format=${format}${more}`
    const { body } = await dispatch(routes, operator.factory, { method: 'GET', url }, () => owner)
    return 'text' in body ? body.text : ''
  }
  const csv = await page('csv')
  assert.match(csv, /^total,.*,0\.000012,,,,0\.000011081,EUR,/m)
  assert.match(csv, /^exchange rate,.*,EUR,0\.923456789012,.*-20,2\r$/m)
  assert.match(await page('html'), /0\.000011081 EUR = 0\.000012 USD/)
  const rows: string[] = []
  for await (const line of factory.lines('GET', `/api/books/focus?${span}`)) rows.push(line)
  const [head = '', ...its] = rows
    .join('')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','))
  const column = (name: string): string[] => its.map((row) => row[head.indexOf(name)] ?? '')
  assert(column('BillingCurrency').every((of) => of === 'EUR') && column('PricingCurrency').every((of) => of === 'USD'))
  const [event] = (await ask('GET', '/api/books/events?tenant=acme')).events as { data: { billed: Json } }[]
  assert.deepEqual([event?.data.billed.currency, event?.data.billed.cost], ['EUR', exact])
  const receipt = (await ask('GET', `/api/receipts/${closeRow(1).id}`)) as { billed?: Json }
  assert.deepEqual([receipt.billed?.cost, receipt.billed?.rate_day], [exact, `${lastMonth}-20`])

  const slip = { currency: 'EUR', rates: [{ day: `${lastMonth}-20`, rate: '0.93' }] }
  await refused('POST', '/api/rates', slip, 'conflict', 'rates')
  await refused('POST', '/api/rates', { ...slip, correct: true }, 'invalid_value', 'note')
  await ask('POST', '/api/rates', { ...slip, correct: true, note: 'a slip' })
  assert.notDeepEqual(await ask('GET', `/api/books/statement?${span}`), issued)
  const pinned = `exchange_version=${billing.exchange_version}`
  assert.deepEqual(await ask('GET', `/api/books/statement?${span}&${pinned}`), issued)
  assert.equal(await page('csv', `&${pinned}`), csv)
  const rerated = await ask('POST', '/api/books/rerate', { tenant: 'acme', from: `${month}-01`, to: `${month}-02` })
  assert.equal(rerated.equal, true)
  const { changes } = (await ask('GET', '/api/changes?kind=exchange%20rate')) as { changes: Json[] }
  assert(changes.length >= 3, 'who declared what is in the log')
})
