import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { declarations } from '../../adapters/sqlite/costs/declarations.ts'
import { listPrices } from '../../adapters/sqlite/registry/prices.ts'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import type { Operator } from './start.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'

let operator: Operator
let factory: Reached
before(async () => {
  operator = await lonelyOperator()
  factory = await reach(operator.factory.home.root, () => undefined)
  await ask('POST', '/api/apps', { tenant: 'acme', name: 'chat' })
})

type Json = { readonly [name: string]: unknown }
const ask = (method: string, url: string, body?: unknown): Promise<Json> =>
  factory.json(method, url, body) as Promise<Json>
const counts = ({ new: added, changed, unchanged }: Json) => [added, changed, unchanged]
const versions = () => listPrices(operator.factory.store).length

const table = `{
  "groq/a": {"input_cost_per_token": 7.5e-08, "output_cost_per_token": 3e-07, "input_cost_per_token_batches": 3.75e-08},
  "groq/b": {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06},
  "azure/b": {"input_cost_per_token": 3e-06, "output_cost_per_token": 4e-06},
  "groq/@odd": {"input_cost_per_token": 3e-06, "output_cost_per_token": 4e-06}}`
const wanted = { table, only: 'groq/*', prefix: 'groq/' }

test('a table is looked at, taken, and taken again without a change', async () => {
  const had = versions()
  const dry = await ask('POST', '/api/prices/import', { ...wanted, dry_run: true })
  assert.deepEqual([dry.dry_run, ...counts(dry), versions() - had], [true, 3, 0, 0, 0])
  assert.match(JSON.stringify(dry.left_out), /name that no model can have.*@odd/)
  const done = await ask('POST', '/api/prices/import', wanted)
  assert.deepEqual([...counts(done), versions() - had], [3, 0, 0, 3])
  assert.deepEqual(counts(await ask('POST', '/api/prices/import', wanted)), [0, 0, 3])
  assert.equal(versions() - had, 3)
  const { prices } = (await ask('GET', '/api/prices/a')) as { prices: { slo: string; usd_per_million: Json }[] }
  assert.deepEqual(
    prices.map(({ slo, usd_per_million: usd }) => [slo, usd.input_uncached, usd.output_visible]),
    [
      [null, '0.075', '0.3'],
      ['batch', '0.0375', '0.3'],
    ],
  )
  const other = table.replace('1e-06', '9e-07')
  assert.deepEqual(counts(await ask('POST', '/api/prices/import', { ...wanted, table: other })), [0, 1, 2])
})

test('a promise stays with its price, and a tenant has a list of its own', async () => {
  await ask('POST', '/api/prices', { model: 'a', input: '1', output: '1', refund_percent: 10, refund_ttft_s: 2 })
  await ask('POST', '/api/prices/import', wanted)
  const inForce = async (): Promise<Json[]> => ((await ask('GET', '/api/prices')) as { prices: Json[] }).prices
  const mine = async () => (await inForce()).filter(({ model, slo }) => model === 'a' && slo === null)
  assert.deepEqual(
    (await mine()).map(({ tenant, refund }) => [tenant, refund]),
    [[null, { percent: 10, ttft_s: 2 }]],
  )
  const own = await ask('POST', '/api/prices/import', { ...wanted, tenant: 'acme' })
  assert.deepEqual(counts(own), [3, 0, 0], 'none of it is in the list of acme')
  assert.deepEqual(
    (await mine()).map(({ tenant }) => tenant),
    [null, 'acme'],
  )
})

test('the same table as what an engine costs, by its upstream names', async () => {
  const url = await fakeUpstream(['a', 'b', 'none'])
  await ask('POST', '/api/engines', { name: 'groq', vendor: 'openai', url, models: { mine: 'a', other: 'none' } })
  const had = versions()
  const cost = () => ask('POST', '/api/prices/import', { ...wanted, engine: 'groq' })
  assert.deepEqual(counts(await cost()), [1, 0, 0])
  assert.deepEqual(counts(await cost()), [0, 0, 1])
  const [declared, ...more] = declarations(operator.factory.store).filter(({ kind }) => kind === 'list')
  assert(declared?.terms.per === 'token')
  assert.deepEqual([declared.name, declared.terms.perMillion.input_uncached, more], ['groq/mine', 75_000_000n, []])
  assert.equal(versions(), had, 'no price changed')
})

for (const [what, body, param, says] of [
  ['a negative price', { table: '{"m": {"input_cost_per_token": -1}}' }, 'table', /"m", input_cost_per_token/],
  ['NaN', { table: '{"m": {"input_cost_per_token": NaN}}' }, 'table', /price table/],
  ['a day that is over', { table, from: '2020-01-01' }, 'from', /is over/],
  ['an unknown tenant', { table, tenant: 'nobody' }, 'tenant', /no tenant nobody/],
  ['an unknown engine', { table, engine: 'none' }, 'engine', /no engine none/],
  ['a cost for one tenant', { table, engine: 'groq', tenant: 'acme' }, 'tenant', /whoever asks/],
] as const)
  test(`${what} is refused whole`, async () => {
    const had = versions()
    await assert.rejects(ask('POST', '/api/prices/import', body), (error) => {
      assert(error instanceof ControlError)
      assert.deepEqual([error.param, says.test(error.message)], [param, true], error.message)
      return true
    })
    assert.equal(versions(), had)
  })
