import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { closeRow, gateway, journaled } from '../../adapters/sqlite/testing.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import { owner } from './auth.ts'
import { ControlError } from './errors.ts'
import { newKeeper } from './keeper.ts'
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

const year = new Date().getUTCFullYear() + 1

test('what cannot be is refused, with its code and its field', async () => {
  const good = { tenant: 'acme', usd: '5' }
  const refused: [Json, string, string][] = [
    [{ ...good, tenant: 'acmee' }, 'not_found', 'tenant'],
    [{ ...good, usd: '-5' }, 'invalid_value', 'usd'],
    [{ ...good, usd: '0' }, 'invalid_value', 'usd'],
    [{ ...good, usd: 'NaN' }, 'invalid_value', 'usd'],
    [{ ...good, usd: '1e25' }, 'invalid_value', 'usd'],
    [{ ...good, usd: '0.0000000001' }, 'invalid_value', 'usd'],
    [{ ...good, usd: 5 }, 'invalid_value', 'usd'],
    [{ ...good, kind: 'gift' }, 'invalid_value', 'kind'],
    [{ ...good, expires: '2020-01-01' }, 'invalid_value', 'expires'],
    [{ ...good, expires: `${year}-01-31T00:30` }, 'invalid_value', 'expires'],
    [{ ...good, from: '2020-01-01' }, 'invalid_value', 'from'],
    [{ ...good, from: '31 January' }, 'invalid_value', 'from'],
    [{ ...good, id: 'a b' }, 'invalid_value', 'id'],
    [{ ...good, amount: '5' }, 'unknown_field', 'amount'],
    [{ usd: '5' }, 'invalid_value', 'tenant'],
  ]
  for (const [body, code, param] of refused)
    await assert.rejects(ask('POST', '/api/credits', body), (error: unknown) => {
      assert(error instanceof ControlError, String(error))
      assert.deepEqual([error.code, error.param], [code, param], JSON.stringify(body))
      return true
    })
  await assert.rejects(ask('POST', '/api/credits/none/return'), /no credit none/)
  const { tenants } = (await ask('GET', '/api/credits?tenant=acme')) as { tenants: { credits: Json[] }[] }
  assert.deepEqual(tenants[0]?.credits, [])
})

/** By the starter's price, which is the first version. */
test('a credit is granted once, pays a charge, and is on the statement as JSON, CSV, page and FOCUS', async () => {
  const { store, home, now } = operator.factory
  const asked = { tenant: 'acme', usd: '0.01', kind: 'promo', id: 'WELCOME', expires: `${year}-06-30`, note: 'hello' }
  const made = await ask('POST', '/api/credits', asked)
  assert.deepEqual(
    [made.id, made.usd, made.granted_before, made.until],
    ['WELCOME', '0.01', false, `${year}-06-30T00:00:00.000Z`],
  )
  assert.equal((await ask('POST', '/api/credits', asked)).granted_before, true)
  await assert.rejects(ask('POST', '/api/credits', { ...asked, usd: '0.02' }), { code: 'conflict' })
  await ask('POST', '/api/credits', { tenant: 'acme', usd: '2.5' })

  const at_ms = now()
  ingestJournal(store, gateway, journaled([closeRow(1, { at_ms, closed_ms: at_ms })]))
  const { tenants } = (await ask('GET', '/api/credits')) as { tenants: { credits: Json[] }[] }
  assert.deepEqual(
    tenants[0]?.credits.map(({ kind, left_usd }) => [kind, left_usd]),
    [
      ['promo', '0.009988'],
      ['prepaid', '2.5'],
    ],
    'provisional until the hour is over',
  )

  const later = at_ms + 2 * hour_ms
  store.database.exec(`update journal set dead_ms = ${later}`)
  const keeper = newKeeper({
    home,
    store,
    meter: { idleWatts: 0, fullWatts: 0 },
    now: () => later,
    log: assert.fail,
    readers: [],
  })
  for (let turn = 0; turn < 20 && keeper.tick(); turn++);
  keeper.close()
  const span = `tenant=acme&from=2026-01-01&to=${new Date(later).toISOString().slice(0, 13)}:00Z`
  const found = await ask('GET', `/api/books/statement?${span}`)
  assert.deepEqual([found.total_usd, found.credit_usd, found.due_usd], ['0.000012', '0.000012', '0'])
  const page = async (format: string): Promise<string> => {
    const url = `/api/books/statement?${span}&format=${format}`
    const { body } = await dispatch(routes, operator.factory, { method: 'GET', url }, () => owner)
    return 'text' in body ? body.text : ''
  }
  assert.match(await page('csv'), /^credit used,(?:,){10}0\.000012,,WELCOME,\r$/m)
  assert.match(await page('csv'), /^due,(?:,){10}0,,,\r$/m)
  assert.match(await page('html'), /<h2>Credit<\/h2>[\s\S]*WELCOME[\s\S]*0\.000012/)
  const rows: string[] = []
  for await (const line of factory.lines('GET', '/api/books/focus?tenant=acme')) rows.push(line)
  const text = rows.join('')
  assert.match(text, /Purchase/)
  assert.match(text, /promotional credit WELCOME/)
})

test('who is served on credit alone has it as a budget, which is kept by its credit', async () => {
  await ask('PUT', '/api/credits/only', { tenant: 'acme', only: true })
  const { budgets } = (await ask('GET', '/api/budgets')) as { budgets: Json[] }
  assert.deepEqual(
    budgets.map(({ scope, of, unit, per }) => [scope, of, unit, per]),
    [['tenant', 'acme', 'usd', 'never']],
  )
  assert.equal(budgets[0]?.left, '2.509988')
  const budget = { tenant: 'acme', usd: '1', per: 'never' }
  await assert.rejects(ask('POST', '/api/budgets', budget), { code: 'conflict' })
  await ask('PUT', '/api/credits/only', { tenant: 'acme', only: false })
  assert.deepEqual(((await ask('GET', '/api/budgets')) as { budgets: Json[] }).budgets, [])
})
