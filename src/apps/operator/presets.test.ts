import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { goodHabits, habitualEngine } from '../../adapters/openai/survey/testing.ts'
import { listEngines } from '../../adapters/sqlite/registry/engines.ts'
import { wireSnapshot } from '../../adapters/sqlite/registry/snapshot.ts'
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
after(() => factory.close())

type Json = { readonly [name: string]: unknown }
const ask = (method: string, url: string, body?: unknown): Promise<Json> =>
  factory.json(method, url, body) as Promise<Json>
const refuses = (work: Promise<unknown>, code: string, param: string, says: RegExp, next: RegExp): Promise<void> =>
  assert.rejects(work, (error) => {
    assert(error instanceof ControlError)
    assert.deepEqual([error.code, error.param], [code, param])
    assert.match(error.message, says)
    assert.match(error.next, next)
    return true
  })

test('presets are listed; one of them tells its prices with their day; a slip of the pen is helped', async () => {
  const { presets } = (await ask('GET', '/api/presets')) as { presets: { name: string }[] }
  assert(presets.length >= 16)
  const groq = (await ask('GET', '/api/presets/groq')) as { list_prices: { as_of: string; usd_per_million: object } }
  assert.match(groq.list_prices.as_of, /^\d{4}-\d\d-\d\d$/)
  assert(Object.keys(groq.list_prices.usd_per_million).length > 5)
  assert.equal((await ask('GET', '/api/presets/llama-server')).name, 'llama.cpp')
  await refuses(ask('GET', '/api/presets/grok'), 'not_found', 'name', /did you mean groq\?/, /engines presets/)
})

test('what a preset needs and was not given is said, with the option that gives it', async () => {
  const add = (more: object) => ask('POST', '/api/engines', { name: 'x', ...more })
  await refuses(add({}), 'invalid_value', 'url', /URL is missing/, /--url/)
  await refuses(add({ vendor: 'azure' }), 'invalid_value', 'url', /no address for all/, /RESOURCE/)
  await refuses(add({ vendor: 'groq' }), 'invalid_value', 'key_from', /wants a key/, /--key-env GROQ_API_KEY/)
  const unset = { vendor: 'groq', key_from: 'env:WM_NO_SUCH_KEY' }
  await refuses(add(unset), 'invalid_value', 'key_from', /is not set/, /./)
})

test('Azure: its own header, deployments that no list names, and the preset reaches the gateways', async () => {
  const keys: unknown[] = []
  const server = createServer((request, response) => {
    keys.push(request.headers['api-key'], request.headers.authorization)
    response.end(JSON.stringify({ data: [{ id: 'gpt-base' }] }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openai/v1`
  const secret = join(temporary(), 'azure.key')
  writeFileSync(secret, 'sesame')
  const azure = { name: 'az', vendor: 'azure', url, key_from: `file:${secret}` }
  await refuses(ask('POST', '/api/engines', azure), 'invalid_value', 'models', /does not list/, /--model/)
  const added = await ask('POST', '/api/engines', { ...azure, models: { gpt: 'my-deployment' } })
  assert.deepEqual([added.vendor, added.models, added.metrics_url], ['azure', { gpt: 'my-deployment' }, null])
  const probed = await ask('POST', '/api/engines/az/probe', {})
  assert.deepEqual([probed.missing, probed.metrics, probed.survey], [[], null, undefined])
  assert(keys.length >= 4 && keys.every((key, at) => key === (at % 2 === 0 ? 'sesame' : undefined)), keys.join())
  const { engines } = wireSnapshot(operator.factory.store, Date.now())
  assert.equal(engines.find(({ name }) => name === 'az')?.product, 'azure')
  await ask('DELETE', '/api/engines/az')
  server.close()
})

test('the vendor openai with another address is any engine with that API, as it always was', async () => {
  using engine = await habitualEngine(goodHabits)
  await ask('POST', '/api/engines', { name: 'any', vendor: 'openai', url: engine.url.href })
  assert.equal(listEngines(operator.factory.store).find(({ name }) => name === 'any')?.product, null)
  await ask('DELETE', '/api/engines/any')
})

test('an engine with the API of Anthropic is known with its address, and a survey in OpenAI’s words is refused', async () => {
  const preset = await ask('GET', '/api/presets/anthropic')
  assert.deepEqual([preset.api, preset.url], ['anthropic', 'https://api.anthropic.com/v1'])
  const add = (more: object) => ask('POST', '/api/engines', { name: 'claude', vendor: 'anthropic', ...more })
  await refuses(add({}), 'invalid_value', 'key_from', /Anthropic wants a key/, /--key-env ANTHROPIC_API_KEY/)
  const url = await fakeUpstream(['claude-1'])
  await add({ url })
  await refuses(ask('GET', '/api/engines/claude/probe'), 'invalid_value', 'name', /API of Anthropic/, /claude --free/)
  const { engines } = wireSnapshot(operator.factory.store, Date.now())
  const { vendor, product } = engines.find(({ name }) => name === 'claude') ?? {}
  assert.deepEqual([vendor, product], ['anthropic', 'anthropic'])
  await ask('DELETE', '/api/engines/claude')
})

test('a survey is announced with its cost, asked only when it is wanted, and told beside the preset', async () => {
  using engine = await habitualEngine({ ...goodHabits, cached: 'untold', refuses: ['n'] })
  await ask('POST', '/api/engines', {
    name: 'far',
    vendor: 'llama-server',
    url: engine.url.href,
    models: { mine: 'm' },
  })
  const plan = (await ask('GET', '/api/engines/far/probe')) as { at_most: { requests: number; output_tokens: number } }
  await ask('POST', '/api/engines/far/probe', {})
  assert.equal(engine.counted.requests, 0, 'without a survey no token is spent')
  const { survey } = (await ask('POST', '/api/engines/far/probe', { survey: true, model: 'mine' })) as {
    survey: { spent: { requests: number }; findings: { check: string; expected: unknown }[]; differences: unknown[] }
  }
  assert(engine.counted.requests > 10 && engine.counted.requests <= plan.at_most.requests)
  assert(engine.counted.output <= plan.at_most.output_tokens)
  assert.deepEqual(survey.differences, [
    { check: 'cached', expected: 'usage.prompt_tokens_details.cached_tokens', saw: 'absent' },
    { check: 'n', expected: 'yes', saw: 'refused' },
    { check: 'unknown_model', expected: 'ignored', saw: 'refused' },
  ])
  assert.equal(survey.findings.find(({ check }) => check === 'seed')?.expected, null)
  const strange = ask('POST', '/api/engines/far/probe', { survey: true, model: 'constructor' })
  await refuses(strange, 'not_found', 'model', /serves no constructor/, /engines list/)
})
