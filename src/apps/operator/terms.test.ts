import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { createKey } from '../../adapters/sqlite/registry/keys.ts'
import { closeRow, gateway, journaled } from '../../adapters/sqlite/testing.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import { owner } from './auth.ts'
import { ControlError } from './errors.ts'
import { newKeeper } from './keeper.ts'
import { type Reached, reach } from './reach.ts'
import { type Caller, dispatch } from './router.ts'
import { routes } from './routes/all.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'
import { plainKey } from './testing-tenants.ts'

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
  const free = { kind: 'free', tokens: '1000' }
  const tiers = { kind: 'graduated', tiers: [{ from: '0', percent: '10' }] }
  const commitment = { kind: 'commitment', tenant: 'acme', usd: '5' }
  const refused: [Json, string, string][] = [
    [{ ...free, tenant: 'acmee' }, 'not_found', 'tenant'],
    [{ ...free, usd: '5' }, 'invalid_value', 'tokens'],
    [{ kind: 'free' }, 'invalid_value', 'tokens'],
    [{ ...free, tokens: '1.5' }, 'invalid_value', 'tokens'],
    [{ ...free, tokens: '-1' }, 'invalid_value', 'amount'],
    [{ ...free, tokens: 1000 }, 'invalid_value', 'tokens'],
    [{ ...free, class: 'prompt' }, 'invalid_value', 'class'],
    [{ kind: 'free', usd: '5', class: 'reasoning' }, 'invalid_value', 'class'],
    [{ ...free, by: 'usd' }, 'invalid_value', 'by'],
    [{ ...free, from: '2020-01-01' }, 'invalid_value', 'from'],
    [{ ...free, from: `${year}-01-31T00:30` }, 'invalid_value', 'from'],
    [{ ...free, model: 'a b' }, 'invalid_value', 'model'],
    [{ kind: 'gift', tokens: '5' }, 'invalid_value', 'kind'],
    [{ ...tiers, tiers: [] }, 'invalid_value', 'tiers'],
    [{ ...tiers, tokens: '5' }, 'invalid_value', 'tokens'],
    [{ ...tiers, class: 'reasoning' }, 'invalid_value', 'class'],
    [{ ...tiers, tiers: [{ from: '0', percent: '101' }] }, 'invalid_value', 'tiers'],
    [{ ...tiers, tiers: [{ from: '0.5', percent: '1' }] }, 'invalid_value', 'tiers/0/from'],
    [{ ...tiers, tiers: [{ from: '0', percent: '1.00001' }] }, 'invalid_value', 'tiers/0/percent'],
    [{ ...commitment, tenant: undefined }, 'invalid_value', 'tenant'],
    [{ kind: 'commitment', tenant: 'acme', tokens: '5' }, 'invalid_value', 'tokens'],
    [{ ...commitment, from: `${year}-01-02` }, 'invalid_value', 'from'],
  ]
  for (const [body, code, param] of refused)
    await assert.rejects(ask('POST', '/api/terms', body), (error: unknown) => {
      assert(error instanceof ControlError, String(error))
      assert.deepEqual([error.code, error.param], [code, param], JSON.stringify(body))
      return true
    })
  await assert.rejects(ask('POST', '/api/terms/9/end', {}), /no terms 9/)
  await assert.rejects(ask('POST', '/api/terms/x/end', {}), { code: 'not_found' })
  assert.deepEqual((await ask('GET', '/api/terms')).terms, [])
})

/** By the starter's price, which is the first version. */
test('what is agreed is in force from now, and on the statement as JSON, CSV, page and FOCUS', async () => {
  const { store, home, now } = operator.factory
  const half = {
    kind: 'volume',
    tenant: 'acme',
    by: 'usd',
    tiers: [{ from: '0.00001', percent: '50' }],
    note: 'contract',
  }
  const made = await ask('POST', '/api/terms', half)
  assert.deepEqual(
    [made.version, made.kind, made.state, made.by, made.tiers],
    [1, 'volume', 'in force', 'usd', half.tiers],
  )
  await ask('POST', '/api/terms', { kind: 'free', usd: '0.000001' })
  const again = await ask('POST', '/api/terms', { kind: 'free', usd: '0.000002', model: 'm' })
  assert.match(String(again.notice), /no engine serves m yet/)
  const commitment = await ask('POST', '/api/terms', {
    kind: 'commitment',
    tenant: 'acme',
    usd: '5',
    from: `${year}-02-01`,
  })
  assert.deepEqual([commitment.state, commitment.usd], ['later', '5'])
  await ask('POST', `/api/terms/${commitment.version}/end`, {})
  const states = (await ask('GET', '/api/terms?tenant=acme')).terms as Json[]
  assert.deepEqual(
    states.map(({ version, tenant, state }) => [version, tenant, state]),
    [
      [1, 'acme', 'in force'],
      [2, null, 'in force'],
      [3, null, 'in force'],
      [4, 'acme', 'replaced'],
      [5, 'acme', 'ends'],
    ],
  )

  const at_ms = now()
  ingestJournal(store, gateway, journaled([closeRow(1, { at_ms, closed_ms: at_ms })]))
  const key = createKey(store, operator.factory.pepper, { ...plainKey, tenant: 'acme', application: 'support' }, at_ms)
  const tenant: Caller = { name: 'acme', role: 'tenant', tenant: 'acme', key: key.record }
  const seen = await dispatch(routes, operator.factory, { method: 'GET', url: '/api/tenant/terms' }, () => tenant)
  const own = ('json' in seen.body ? seen.body.json : {}) as { terms: Json[] }
  assert.deepEqual(
    own.terms.map(({ version, kind, used }) => [version, kind, used]),
    [
      [2, 'free', '0'],
      [3, 'free', '0.000012'],
      [1, 'volume', '0.00001'],
    ],
    'provisional until the hour is over; what is free is no use for what follows',
  )

  const later = at_ms + 2 * hour_ms
  store.database.exec(`update journal set dead_ms = ${later}`)
  const meter = { idleWatts: 0, fullWatts: 0 }
  const keeper = newKeeper({ home, store, meter, now: () => later, log: assert.fail, readers: [] })
  for (let turn = 0; turn < 20 && keeper.tick(); turn++);
  keeper.close()
  const span = `tenant=acme&from=2026-01-01&to=${new Date(later).toISOString().slice(0, 13)}:00Z`
  const found = await ask('GET', `/api/books/statement?${span}`)
  assert.deepEqual([found.total_usd, found.taken_off_usd, found.due_usd], ['0.000012', '0.000007', '0.000005'])
  const page = async (format: string): Promise<string> => {
    const url = `/api/books/statement?${span}&format=${format}`
    const { body } = await dispatch(routes, operator.factory, { method: 'GET', url }, () => owner)
    return 'text' in body ? body.text : ''
  }
  assert.match(await page('csv'), /^taken off volume,support,m,,,,terms 1,,,,,0\.000005,,,\r$/m)
  assert.match(await page('csv'), /^due,(?:,){10}0\.000005,,,\r$/m)
  assert.match(await page('html'), /<h2>Agreed<\/h2>[\s\S]*price by volume[\s\S]*−0\.000005/)
  const rows: string[] = []
  for await (const line of factory.lines('GET', '/api/books/focus?tenant=acme')) rows.push(line)
  assert.match(rows.join(''), /price by volume of m/)
  assert.match(rows.join(''), /free quota of m/)
  await assert.rejects(ask('POST', '/api/terms/4/end', {}), { code: 'conflict' })
})
