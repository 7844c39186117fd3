import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import type { Operator } from './start.ts'
import { fakeUpstream, lonelyOperator, temporary } from './testing.ts'

let operator: Operator
let factory: Reached
before(async () => {
  operator = await lonelyOperator()
  factory = await reach(operator.factory.home.root, () => undefined)
})

type Json = { readonly [name: string]: unknown }
const ask = (method: string, url: string, body?: unknown): Promise<Json> =>
  factory.json(method, url, body) as Promise<Json>
const refuses = (work: Promise<unknown>, code: string, says: RegExp, param?: string): Promise<void> =>
  assert.rejects(work, (error) => {
    assert(error instanceof ControlError)
    assert.deepEqual([error.code, error.param], [code, param])
    assert.match(error.message, says)
    assert(error.next.length > 0, 'every error says what to do next')
    return true
  })

test('keys: created once, listed without the key, rotated, revoked', async () => {
  assert(factory.running)
  const made = await ask('POST', '/api/keys', { tenant: 'acme', app: 'chat', expires: '30d', rpm: 5 })
  assert.match(String(made.key), /^wm-/)
  assert.deepEqual(made.made, ['tenant acme', 'application acme/chat'])
  const listed = await ask('GET', '/api/keys?tenant=acme')
  assert(!JSON.stringify(listed).includes(String(made.key)))
  const rotated = await ask('POST', `/api/keys/${made.id}/rotate`, {})
  assert.equal((await ask('DELETE', `/api/keys/${rotated.id}`)).state, 'revoked')
})

test('what is wrong with an input is told by field, with the nearest name', async () => {
  await refuses(ask('POST', '/api/keys', { tenat: 'a' }), 'unknown_field', /did you mean tenant\?/, 'tenat')
  await refuses(ask('POST', '/api/keys', {}), 'invalid_value', /tenant is missing/, 'tenant')
  await refuses(ask('POST', '/api/keys', { tenant: 'a', rpm: 0 }), 'invalid_value', /rpm must be >= 1/, 'rpm')
  await refuses(ask('POST', '/api/keys', { tenant: 'a', expires: 'soon' }), 'invalid_value', /no date/, 'expires')
  await refuses(ask('POST', '/api/keys', { tenant: 'ä' }), 'invalid_value', /letters, digits/, 'tenant')
  await refuses(
    ask('POST', '/api/keys', { tenant: 'a', models: ['startr'] }),
    'not_found',
    /no engine serves/,
    'models',
  )
  await refuses(ask('POST', '/api/keys', ['tenant']), 'invalid_json', /not a JSON object/)
  await refuses(ask('GET', '/api/nothing'), 'route_not_found', /there is no/)
  await refuses(ask('DELETE', '/api/status'), 'method_not_allowed', /takes GET/)
  await refuses(ask('DELETE', '/api/keys/key_none'), 'not_found', /no key/, 'id')
})

test('an engine with the API of Anthropic is probed in its words, and gateways are told', async () => {
  const heard: [string | undefined, unknown][] = []
  const url = await fakeUpstream(['claude'], '/v1', ({ url, headers }) => {
    if (url?.includes('/v1/models')) heard.push([url, headers['anthropic-version']])
  })
  const added = await ask('POST', '/api/engines', { name: 'far', url: `${url}/v1/messages`, vendor: 'anthropic' })
  assert.deepEqual([added.vendor, added.url, added.models], ['anthropic', `${url}/v1`, { claude: 'claude' }])
  assert.deepEqual(heard, [['/v1/models?limit=1000', '2023-06-01']])
  assert.equal((await ask('POST', '/api/engines/far/probe', {})).up, true)
  await ask('DELETE', '/api/engines/far')
})

test('engines: probed before they are added, the /v1 found, names checked', async () => {
  const url = await fakeUpstream(['qwen', 'llama'])
  const added = await ask('POST', '/api/engines', { name: 'gpu', url, site: 'eu-north' })
  assert.deepEqual([added.url, added.models], [`${url}/v1`, { qwen: 'qwen', llama: 'llama' }])
  await refuses(ask('POST', '/api/engines', { name: 'gpu', url }), 'conflict', /already/, 'name')
  const second = await ask('POST', '/api/engines', { name: 'gpu2', url: `${url}/v1/`, models: { qwen: 'llama' } })
  assert.deepEqual(second.shared, [{ model: 'qwen', engines: ['gpu'] }])
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url, models: { a: 'qwn' } }),
    'not_found',
    /did you mean qwen\?/,
    'models',
  )
  assert.deepEqual([added.site, second.site], ['eu-north', 'main'])
  const move = (name: string, site: string) => ask('POST', `/api/engines/${name}/site`, { site })
  assert.equal((await move('gpu2', 'us-west')).site, 'us-west')
  await refuses(move('gpu2', 'a b'), 'invalid_value', /site name "a b"/, 'site')
  await refuses(move('gpu3', 'x'), 'not_found', /no engine gpu3/, 'name')
  await refuses(move('embedded', 'x'), 'conflict', /said by its settings/, 'name')
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url, site: 'a b' }),
    'invalid_value',
    /site name "a b"/,
    'site',
  )
  await refuses(ask('POST', '/api/engines', { name: 'x', url: 'ftp://h' }), 'invalid_value', /neither http/, 'url')
  const vendor = { name: 'x', url: 'http://h', vendor: 'vlm' }
  await refuses(ask('POST', '/api/engines', vendor), 'invalid_value', /one of openai, .*vllm, sglang/, 'vendor')
  await refuses(ask('POST', '/api/engines', { name: 'x', url: 'http://u:p@h/v1' }), 'invalid_value', /password/, 'url')
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url: 'http://127.0.0.1:1/v1' }),
    'engine_unreachable',
    /ECONNREFUSED/,
    'url',
  )
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url, key_from: 'sk-secret' }),
    'invalid_value',
    /env:NAME/,
    'key_from',
  )
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url, key_from: 'env:WM_NONE' }),
    'invalid_value',
    /not set/,
    'key_from',
  )
  process.env.WM_WRONG = 'wrong'
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url, key_from: 'env:WM_WRONG' }),
    'engine_bad_reply',
    /another key/,
    'key_from',
  )
  await refuses(
    ask('POST', '/api/engines', { name: 'x', url: await fakeUpstream([]) }),
    'engine_bad_reply',
    /no model/,
    'url',
  )
  assert.equal((await ask('POST', '/api/engines/gpu/drain', {})).draining, true)
  assert.equal((await ask('POST', '/api/engines/gpu/drain', { undo: true })).draining, false)
  assert.deepEqual((await ask('POST', '/api/engines/gpu/probe', {})).missing, [])
  await ask('DELETE', '/api/engines/gpu')
  await refuses(ask('DELETE', '/api/engines/gpu'), 'not_found', /no engine gpu/, 'name')
})

test('a file that is no model leaves nothing half made', async () => {
  const path = join(temporary(), 'bad.gguf')
  writeFileSync(path, 'GGUF, or so it says')
  const before = (await ask('GET', '/api/status')).snapshot
  await refuses(ask('POST', '/api/models', { path }), 'model_file_invalid', /no GGUF model/, 'path')
  await refuses(ask('POST', '/api/models', { path: '/nowhere.gguf' }), 'not_found', /no file/, 'path')
  await refuses(ask('POST', '/api/models', { path: 'here.gguf' }), 'invalid_value', /not absolute/, 'path')
  assert.equal((await ask('GET', '/api/status')).snapshot, before)
})

test('only models of the embedded engine are brought into memory, and only while it runs', async () => {
  await refuses(ask('POST', '/api/models/nobody/load', {}), 'not_found', /no model nobody/, 'name')
  await refuses(ask('POST', '/api/models/starter/unload', {}), 'engine_host_down', /./, 'name')
})

test('prices by class: each in force beside that of all, with what it promises', async () => {
  await ask('POST', '/api/prices', { model: 'p', input: '1', output: '2' })
  const batch = await ask('POST', '/api/prices', { model: 'p', input: '0.5', output: '1', slo: 'batch' })
  assert.deepEqual([batch.slo, batch.refund], ['batch', null])
  const asked = { model: 'p', input: '2', output: '4', slo: 'interactive', refund_percent: 50 }
  assert.deepEqual(
    (await ask('POST', '/api/prices', asked)).refund,
    { percent: 50, ttft_s: 2 },
    'as its class is promised',
  )
  const exact = await ask('POST', '/api/prices', { ...asked, refund_ttft_s: 0.75 })
  assert.deepEqual(exact.refund, { percent: 50, ttft_s: 0.75 })
  const inForce = ((await ask('GET', '/api/prices')).prices as Json[]).filter(({ model }) => model === 'p')
  assert.deepEqual(
    inForce.map(({ slo }) => slo),
    [null, 'interactive', 'batch'],
  )
  const history = (await ask('GET', '/api/prices/p')).prices as Json[]
  assert.deepEqual(
    history.map(({ in_force }) => in_force),
    [true, true, false, true],
  )
  const wrong = (more: object, param: string) =>
    assert.rejects(ask('POST', '/api/prices', { model: 'p', input: '1', output: '2', ...more }), (error) => {
      assert(error instanceof ControlError)
      assert.deepEqual([error.code, error.param], ['invalid_value', param])
      return true
    })
  await wrong({ slo: 'fast' }, 'slo')
  await wrong({ refund_percent: 101 }, 'refund_percent')
  await wrong({ refund_percent: 10, slo: 'batch' }, 'refund_percent')
  await wrong({ refund_ttft_s: 1 }, 'refund_percent')
})

test('prices by site: beside that of all, listed, and a word where nobody answers there', async () => {
  const url = await fakeUpstream(['sited'])
  await ask('POST', '/api/engines', { name: 'north', url, site: 'eu-north' })
  const asked = { model: 'sited', input: '1', output: '3.10' }
  const north = await ask('POST', '/api/prices', { ...asked, site: 'eu-north' })
  assert.deepEqual([north.site, north.notice], ['eu-north', undefined])
  const second = await ask('POST', '/api/engines', { name: 'north2', url, site: 'eu-north' })
  assert.deepEqual(
    (second.notices as string[]).filter((one) => /has no price/.test(one)),
    [],
  )
  const here = await ask('POST', '/api/engines', { name: 'here', url })
  assert.match(
    (here.notices as string[])[0] ?? '',
    /^sited has no price and is booked at 0/,
    'what it has is for elsewhere',
  )
  assert.equal((await ask('POST', '/api/prices', asked)).site, null)
  const typo = await ask('POST', '/api/prices', { ...asked, site: 'eu-nord' })
  assert.match(String(typo.notice), /no engine of the model stands at eu-nord yet; did you mean eu-north\?/)
  await refuses(ask('POST', '/api/prices', { ...asked, site: 'a b' }), 'invalid_value', /site name "a b"/, 'site')
  const rows = ((await ask('GET', '/api/prices')).prices as Json[]).filter(({ model }) => model === 'sited')
  assert.deepEqual(
    rows.map(({ site }) => site),
    [null, 'eu-nord', 'eu-north'],
  )
  const table = JSON.stringify({ sited: { input_cost_per_token: 2e-6, output_cost_per_token: 4e-6 } })
  const imported = await ask('POST', '/api/prices/import', { table, site: 'eu-north' })
  assert.deepEqual([imported.changed, imported.new], [1, 0])
  const again = await ask('POST', '/api/prices/import', { table, site: 'us-west' })
  assert.deepEqual([again.changed, again.new], [0, 1])
  await refuses(
    ask('POST', '/api/prices/import', { table, site: 'x', engine: 'here' }),
    'invalid_value',
    /one site/,
    'site',
  )
  await refuses(
    ask('POST', '/api/books/rerate', { tenant: 'default', site: 'x' }),
    'invalid_value',
    /table too/,
    'site',
  )
  for (const name of ['north', 'north2', 'here']) await ask('DELETE', `/api/engines/${name}`)
})

test('prices: exact decimals, versions, never in the past', async () => {
  const set = await ask('POST', '/api/prices', { model: 'm', input: '0.0375', output: '1e-3', note: 'spring' })
  const usd = set.usd_per_million as Json
  assert.deepEqual([usd.input_uncached, usd.cache_read, usd.output_visible], ['0.0375', '0.0375', '0.001'])
  assert.match(String(set.notice), /no engine serves m/)
  await ask('POST', '/api/prices', { model: 'm', input: '1', output: '2', from: '2999-01-01' })
  const history = (await ask('GET', '/api/prices/m')).prices as Json[]
  assert.deepEqual(
    history.map((price) => price.in_force),
    [true, false],
  )
  await refuses(
    ask('POST', '/api/prices', { model: 'm', input: '-1', output: '2' }),
    'invalid_value',
    /no price/,
    'input',
  )
  await refuses(
    ask('POST', '/api/prices', { model: 'm', input: '1', output: '0.0000000001' }),
    'invalid_value',
    /9 decimals/,
    'output',
  )
  await refuses(
    ask('POST', '/api/prices', { model: 'm', input: '1', output: '2', from: '2020-02-30' }),
    'invalid_value',
    /no date/,
    'from',
  )
  await refuses(
    ask('POST', '/api/prices', { model: 'm', input: '1', output: '2', from: '2020-02-01' }),
    'invalid_value',
    /is over/,
    'from',
  )
})

test('the books answer over the same door', async () => {
  assert.equal((await ask('GET', '/api/books/check')).conserved, true)
  assert.deepEqual((await ask('GET', '/api/requests?limit=5')).requests, [])
  await refuses(ask('GET', '/api/requests?limit=0'), 'invalid_value', /limit/, 'limit')
  await refuses(ask('GET', '/api/receipts/none'), 'not_found', /no request/, 'id')
  await refuses(
    ask('GET', '/api/books/statement?tenant=defalt&from=2026-01-01&to=2026-02-01'),
    'not_found',
    /did you mean default/,
    'tenant',
  )
  const url = '/api/books/statement?tenant=default&from=2026-01-01&to=2026-02-01'
  assert.equal((await ask('GET', url)).total_usd, '0')
  const lines: string[] = []
  for await (const line of factory.lines('GET', `${url}&format=csv`)) lines.push(line)
  assert.match(lines[0] ?? '', /^kind,/)
  assert(((await ask('GET', '/api/doctor')).findings as Json[]).length > 3)
})

test('guard rails: set whole or not at all, for one thing, listed as they are set, taken away', async () => {
  const rules = { input: { words: ['x'] }, output: { patterns: ['\\d{4}'] } }
  const set = await ask('POST', '/api/rails', { name: 'r', app: 'acme/a/b', ...rules })
  assert.deepEqual([set.scope, set.of, set.input, set.output], ['application', 'acme/a/b', rules.input, rules.output])
  await refuses(
    ask('POST', '/api/rails', { name: 'r', tenant: 'a', model: 'm', ...rules }),
    'invalid_value',
    /two/,
    'model',
  )
  await refuses(ask('POST', '/api/rails', { name: 'r' }), 'invalid_value', /neither/, 'input')
  await refuses(
    ask('POST', '/api/rails', { name: 'r', input: { patterns: ['('] } }),
    'invalid_value',
    /RE2/,
    'input.patterns[0]',
  )
  await refuses(ask('POST', '/api/rails', { name: 'r', input: { word: [] } }), 'invalid_value', /./, 'input')
  assert.deepEqual(
    ((await ask('GET', '/api/rails')).rails as Json[]).map(({ name }) => name),
    ['r'],
  )
  assert.equal((await ask('DELETE', '/api/rails/r')).removed, true)
  await refuses(ask('DELETE', '/api/rails/r'), 'not_found', /no guard rail/, 'name')
})
