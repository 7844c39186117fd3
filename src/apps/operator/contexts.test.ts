import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey } from '../../adapters/sqlite/registry/keys.ts'
import { owner } from './auth.ts'
import { type Caller, dispatch } from './router.ts'
import { routes } from './routes/all.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'
import { plainKey } from './testing-tenants.ts'

test('the context of a model is what the engines that serve it tell, the least of them; learned when added and when probed', async () => {
  const { factory } = await lonelyOperator()
  const { record } = createKey(factory.store, factory.pepper, { ...plainKey, tenant: 'acme', application: 'web' }, 1)
  const tenant: Caller = { name: 'acme', role: 'tenant', tenant: 'acme', key: record }
  const ask = async (method: string, url: string, body?: unknown, caller: Caller = owner) => {
    const { body: answer } = await dispatch(routes, factory, { method, url, body }, () => caller)
    assert('json' in answer)
    return answer.json as { error?: unknown; models: { model: string; context_tokens: number | null }[] }
  }
  const contexts = async () => {
    const { models } = await ask('GET', '/api/tenant/models', undefined, tenant)
    return Object.fromEntries(models.map(({ model, context_tokens }) => [model, context_tokens]))
  }

  const told: Record<string, unknown>[] = [
    { id: 'a', max_model_len: 32_768 },
    { id: 'b', context_window: 8192, max_model_len: null },
    { id: 'c' },
    { id: 'd', max_model_len: 'plenty', context_length: 5 },
    { id: 'e', max_model_len: -1 },
  ]
  const models = Object.fromEntries(told.map(({ id }) => [`${id}-public`, String(id)]))
  const one = await ask('POST', '/api/engines', { name: 'one', url: await fakeUpstream(told), models })
  assert.equal(one.error, undefined)
  assert.deepEqual(await contexts(), {
    'a-public': 32_768,
    'b-public': 8192,
    'c-public': null,
    'd-public': null,
    'e-public': null,
    starter: null, // it is not in memory: there is no engine host here
  })

  const smaller = await fakeUpstream([{ id: 'other', max_model_len: 4096 }])
  await ask('POST', '/api/engines', { name: 'two', url: smaller, models: { 'a-public': 'other' } })
  assert.equal((await contexts())['a-public'], 4096)

  told[2] = { id: 'c', context_length: 128_000 }
  delete told[1]?.context_window
  await ask('POST', '/api/engines/one/probe', {})
  const again = await contexts()
  assert.deepEqual([again['c-public'], again['b-public']], [128_000, 8192], 'what is not told again stays')
})
