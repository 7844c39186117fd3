import assert from 'node:assert/strict'
import { request } from 'node:http'
import { beforeEach, test } from 'node:test'
import { listChanges } from '../../adapters/sqlite/changes/log.ts'
import { all, run } from '../../adapters/sqlite/query.ts'
import { setAlias } from '../../adapters/sqlite/registry/aliases.ts'
import { setAllowance } from '../../adapters/sqlite/registry/allowances.ts'
import { addEngine } from '../../adapters/sqlite/registry/engines.ts'
import { setKeyQuota } from '../../adapters/sqlite/registry/key-quota.ts'
import { createKey, keyById, listKeys, type NewKey } from '../../adapters/sqlite/registry/keys.ts'
import { setPrice } from '../../adapters/sqlite/registry/prices.ts'
import { setRail } from '../../adapters/sqlite/registry/rails.ts'
import { priceList } from '../../books/price.ts'
import { price } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'

let operator: Operator
const plain: NewKey = {
  tenant: 'acme',
  application: 'web',
  models: null,
  requests_per_minute: null,
  tokens_per_minute: null,
  expires_ms: null,
  slo: 'standard',
}

const elsewhere = {
  name: 'elsewhere',
  vendor: 'openai',
  product: null,
  url: 'http://192.0.2.1/v1',
  key_from: null,
  metrics_url: null,
  chips: null,
  concurrency: 1,
  created_ms: 1,
} as const

beforeEach(async () => {
  operator = await lonelyOperator()
})

const make = (more: Partial<NewKey> = {}, budget?: bigint) =>
  createKey(operator.factory.store, operator.factory.pepper, { ...plain, ...more }, operator.factory.now(), budget)
const quota = (keys: number) => setKeyQuota(operator.factory.store, 'acme', keys, operator.factory.now())

interface Heard {
  readonly status: number
  readonly code: string
  readonly param: string | undefined
  readonly cookie: string
  readonly value: Record<string, never> & { key: string; id: string; keys: Record<string, unknown>[] }
}

const ask = (
  method: string,
  path: string,
  by: string | Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const headers = typeof by === 'string' ? { authorization: `Bearer ${by}` } : by
    const { operatorSocket: socketPath } = operator.factory.home
    const asked = request({ socketPath, method, path, headers }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      reply.on('end', () => {
        const value = JSON.parse(text)
        const cookie = reply.headers['set-cookie']?.[0] ?? ''
        resolve({
          status: reply.statusCode ?? 0,
          code: value.error?.code ?? '',
          param: value.error?.param,
          cookie,
          value,
        })
      })
    })
    asked.on('error', reject)
    asked.end(body === undefined || method !== 'POST' ? undefined : JSON.stringify(body))
  })

const create = (by: string | Readonly<Record<string, string>>, body: unknown = {}) =>
  ask('POST', '/api/tenant/keys', by, body)
const logIn = async (key: string) => {
  const { cookie } = await ask('POST', '/api/login', {}, { key })
  return { cookie: cookie.split(';')[0] ?? '', 'x-wattmill': '1' }
}
const stateOf = (id: string) => {
  const { store, now } = operator.factory
  return keyById(store, id, now()) ? 'in force' : 'over'
}

test('a tenant makes keys up to its quota, which is none until the factory says so', async () => {
  const { key } = make()
  const none = await create(key)
  assert.deepEqual([none.status, none.code], [409, 'key_quota_reached'])
  quota(3)
  const first = await create(key, { app: 'mobile' })
  assert.equal(first.status, 200)
  assert.match(first.value.key, /^wm-/)
  assert.equal((await create(first.value.key)).status, 200, 'a key that a tenant made may make one too')
  assert.equal((await create(key)).code, 'key_quota_reached')
  assert.equal((await ask('DELETE', `/api/tenant/keys/${first.value.id}`, key)).status, 200)
  assert.equal((await create(key)).status, 200, 'a revoked key makes room')
  const listed = (await ask('GET', '/api/tenant/keys', key)).value
  assert(!JSON.stringify(listed).includes(first.value.key), 'it was shown once')
  assert.deepEqual([listed.quota, listed.active, listed.keys.length], [3, 3, 4])
})

test('a new key has what its maker has where nothing is said, and never more', async () => {
  quotaOfAcme()
  const { store } = operator.factory
  addEngine(store, { ...elsewhere, models: { large: 'l', small: 's' } })
  const until = operator.factory.now() + 86_400_000
  const { key } = make({ models: ['small'], requests_per_minute: 10, tokens_per_minute: 500, expires_ms: until })
  const like = (await create(key)).value as Record<string, unknown>
  assert.deepEqual(
    [like.app, like.models, like.rpm, like.tpm, like.expires, like.slo],
    ['web', ['small'], 10, 500, new Date(until).toISOString(), 'standard'],
  )
  assert.equal((await create(key, { rpm: 9, slo: 'batch', expires: '1h' })).status, 200)
  for (const [body, param] of [
    [{ models: ['small', 'large'] }, 'models'],
    [{ rpm: 11 }, 'rpm'],
    [{ tpm: 501 }, 'tpm'],
    [{ expires: '2d' }, 'expires'],
    [{ slo: 'interactive' }, 'slo'],
  ] as const) {
    const refused = await create(key, body)
    assert.deepEqual([refused.status, refused.code, refused.param], [403, 'beyond_own_rights', param])
  }
  assert.equal((await create(key, { budget_usd: '1' })).code, 'unknown_field')
})

const quotaOfAcme = () => {
  make({ application: 'other' })
  quota(20)
}

test('a key that may do less neither takes over nor ends one that may do more', async () => {
  quotaOfAcme()
  const whole = make()
  const limited = make({ requests_per_minute: 10 })
  for (const [method, path] of [
    ['DELETE', ''],
    ['POST', '/rotate'],
  ] as const) {
    const { status, code } = await ask(method, `/api/tenant/keys/${whole.record.id}${path}`, limited.key, {})
    assert.deepEqual([status, code], [403, 'beyond_own_rights'])
  }
  assert.equal(stateOf(whole.record.id), 'in force')
  const listed = (await ask('GET', '/api/tenant/keys', limited.key)).value.keys
  assert.deepEqual(
    listed.map(({ id, may_change, own }) => [id, may_change, own]).sort(),
    listKeys(operator.factory.store, 'acme')
      .map(({ id }) => [id, id === limited.record.id, id === limited.record.id])
      .sort(),
  )
  assert.equal((await ask('DELETE', `/api/tenant/keys/${limited.record.id}`, whole.key)).status, 200)
})

test('where an application has budgets or guard rails of its own, its keys make none of another', async () => {
  quotaOfAcme()
  const { store, now } = operator.factory
  const { key } = make()
  assert.equal((await create(key, { app: 'other' })).status, 200)
  setRail(store, { name: 'r', scope: 'application', of: 'acme/web', input: { most_bytes: 10 } } as never, now())
  assert.deepEqual((await create(key, { app: 'other' })).param, 'app')
  assert.equal((await create(key)).status, 200)
  assert.equal((await ask('GET', '/api/tenant/keys', key)).value.only_app, 'web')
  const budgeted = make({ application: 'paid' })
  setAllowance(store, { scope: 'application', of: 'acme/paid', unit: 'mJ', renews: 'day', amount: 5n }, now())
  assert.deepEqual((await create(budgeted.key, { app: 'other' })).param, 'app')
})

test('a key with a budget makes no keys; rotated, it keeps its budget and what is used of it', async () => {
  quotaOfAcme()
  const { store } = operator.factory
  const { key, record } = make({}, 25_000_000_000n)
  assert.equal((await create(key)).code, 'beyond_own_rights')
  const overlapping = await ask('POST', `/api/tenant/keys/${record.id}/rotate`, key, { overlap: '1h' })
  assert.deepEqual([overlapping.code, overlapping.param], ['beyond_own_rights', 'overlap'])
  run(
    store.database,
    "insert into lease (allowance, period, incarnation, granted) select id, 0, 'gw', 24000000000 from allowance where of = ?",
    record.id,
  )
  const next = await ask('POST', `/api/tenant/keys/${record.id}/rotate`, key, {})
  assert.equal(next.status, 200)
  const limits = (await ask('GET', '/api/tenant/limits', next.value.key)).value as unknown as {
    limits: { of: string; amount: string; left: string }[]
  }
  assert.deepEqual(
    limits.limits.map(({ of, amount, left }) => [of, amount, left]),
    [[`${next.value.prefix}…`, '25', '1']],
  )
})

test('rotating lengthens no life, and two at once are within the quota', async () => {
  const until = operator.factory.now() + 3_600_000
  const { key, record } = make({ expires_ms: until })
  const rotate = (id: string, by: string, overlap?: string) =>
    ask('POST', `/api/tenant/keys/${id}/rotate`, by, overlap === undefined ? {} : { overlap })
  assert.equal((await rotate(record.id, key, '10m')).code, 'key_quota_reached')
  const next = await rotate(record.id, key)
  assert.equal((next.value as Record<string, unknown>).expires, new Date(until).toISOString())
  quota(2)
  const overlapped = await rotate(next.value.id, next.value.key, '10m')
  assert.equal(overlapped.status, 200)
  assert.equal(stateOf(next.value.id), 'in force')
  assert.equal((await rotate(next.value.id, next.value.key, '10m')).code, 'key_quota_reached')
  assert.equal((await rotate(next.value.id, next.value.key, '8d')).code, 'invalid_value')
  assert.equal((await rotate(record.id, overlapped.value.key)).code, 'conflict', 'one that is revoked is over')
})

test('a session is that of its key: its cookie is ours alone, changes need our page, and it ends with the key', async () => {
  quotaOfAcme()
  const { key, record } = make()
  const { cookie } = await ask('POST', '/api/login', { 'x-forwarded-proto': 'https' }, { key: ` ${key}\n` })
  for (const flag of ['HttpOnly', 'SameSite=Strict', 'Secure', 'Path=/', 'Max-Age=43200'])
    assert(cookie.includes(flag), flag)
  const session = await logIn(key)
  assert.equal((await ask('GET', '/api/tenant', session)).status, 200)
  assert.equal((await ask('GET', '/api/status', session)).code, 'forbidden')
  assert.equal((await create({ cookie: session.cookie })).code, 'csrf')
  assert.equal((await create(session)).status, 200)
  await ask('DELETE', `/api/tenant/keys/${record.id}`, session)
  assert.equal((await ask('GET', '/api/tenant', session)).status, 401)
  assert.equal((await ask('GET', '/api/tenant', key)).status, 401)
  assert.deepEqual(all(operator.factory.store.database, 'select * from session'), [])
  assert.equal((await ask('POST', '/api/login', {}, { key })).status, 401)
})

test('a session ends when its key expires, and when the factory revokes it', async () => {
  const { store } = operator.factory
  const short = make({ expires_ms: operator.factory.now() + 60_000 })
  const session = await logIn(short.key)
  assert.equal((await ask('GET', '/api/tenant', session)).status, 200)
  run(store.database, 'update api_key set expires_ms = 5 where id = ?', short.record.id)
  assert.equal((await ask('GET', '/api/tenant', session)).status, 401)
})

test('who rotates the key of its own session goes on; who else came with it does not', async () => {
  const { key, record } = make()
  const [mine, thief] = [await logIn(key), await logIn(key)]
  const next = await ask('POST', `/api/tenant/keys/${record.id}/rotate`, mine, {})
  assert.equal(next.status, 200)
  const me = (await ask('GET', '/api/tenant', mine)).value as unknown as { key: { id: string } }
  assert.equal(me.key.id, next.value.id)
  assert.equal((await ask('GET', '/api/tenant', thief)).status, 401)
  assert.equal(stateOf(record.id), 'over')
})

test('what a tenant does is logged in its name, in the transaction, without secrets', async () => {
  quotaOfAcme()
  const { store } = operator.factory
  const { key, record } = make()
  const { value } = await create(key)
  const [line] = listChanges(store.database, { limit: 1 })
  assert.deepEqual(
    [line?.who, line?.action, line?.kind],
    [`tenant acme (${record.id})`, 'POST /api/tenant/keys', 'key'],
  )
  assert(line?.after?.includes(value.id) && !line.after.includes(value.key))
  await create(key, { rpm: -1 })
  assert.equal(listChanges(store.database, { limit: 1 })[0]?.seq, line?.seq, 'what was refused is not in it')
})

test('a key that is revoked again and again is logged once', async () => {
  quotaOfAcme()
  const { store } = operator.factory
  const { key } = make()
  const { id } = (await create(key)).value
  const lines = () => listChanges(store.database, { limit: 100 }).length
  const before = lines()
  for (let turn = 0; turn < 5; turn++) assert.equal((await ask('DELETE', `/api/tenant/keys/${id}`, key)).status, 200)
  assert.equal(lines(), before + 1)
})

test('an alias has the context and the price of the model that answers, for a key too that may ask for nothing else', async () => {
  const { store } = operator.factory
  const contexts = new Map([['r', 4096]])
  addEngine(store, { ...elsewhere, models: { real: 'r' } }, { meters: [], costPerHour: undefined, contexts })
  const perMillion = priceList(price(70_000_000n), price(90_000_000n))
  setPrice(store, { model: id('real'), effective_from_ms: 1, perMillion, note: '' })
  setAlias(store, 'best', ['real'])
  const { key } = make({ models: ['best'] })
  const { value } = await ask('GET', '/api/tenant/models', key)
  const [best, ...others] = (value as unknown as { models: { model: string; prices: unknown[] }[] }).models
  const of = { model: 'best', stands_for: [], available: true, context_tokens: 4096 }
  assert.partialDeepStrictEqual(best, { ...of, prices: [{ usd_per_million: { output_visible: '0.09' } }] })
  assert.deepEqual(others, [])
})

test('a model that several sites answer has the price of each, and what a request costs at the least and at the most', async () => {
  const { store } = operator.factory
  const models = { sited: 's' }
  addEngine(store, { ...elsewhere, name: 'north', models, site: id('eu-north') })
  addEngine(store, { ...elsewhere, name: 'west', models, site: id('us-west') })
  const set = (nano: bigint, more: object = {}) =>
    setPrice(store, {
      ...{ model: id('sited'), effective_from_ms: 1, perMillion: priceList(price(nano), price(2n * nano)), note: '' },
      ...more,
    })
  set(50_000_000n)
  set(80_000_000n, { site: id('eu-north') })
  set(900_000_000n, { site: id('moon') })
  set(20_000_000n, { slo: 'batch' })
  const { key } = make({ models: ['sited'] })
  const { value } = await ask('GET', '/api/tenant/models', key)
  const [sited] = (
    value as unknown as { models: { prices: { sites: string[]; slo: string[]; usd_per_million: object }[] }[] }
  ).models
  assert.deepEqual(
    sited?.prices.map(({ sites, slo, usd_per_million: usd }) => [
      sites,
      slo,
      (usd as Record<string, string>).input_uncached,
    ]),
    [
      [['eu-north'], ['interactive', 'standard'], '0.08'],
      [['eu-north', 'us-west'], ['batch'], '0.02'],
      [['us-west'], ['interactive', 'standard'], '0.05'],
    ],
  )
  assert.partialDeepStrictEqual(sited, { range: { output_visible: { from: '0.1', to: '0.16' } } })
})

test('logging in counts as a call of the tenant', async () => {
  const { key } = make()
  const codes = new Set<string>()
  for (let number = 0; number < 1210 && !codes.has('too_many_calls'); number++)
    codes.add((await ask('POST', '/api/login', {}, { key })).code)
  assert.deepEqual([...codes], ['', 'too_many_calls'])
})

test('wrong keys shut the door of the log-in for a tenant too', async () => {
  const { key } = make()
  for (let attempt = 0; attempt < 10; attempt++)
    assert.equal((await ask('POST', '/api/login', {}, { key: `wm-${'x'.repeat(43)}` })).status, 401)
  assert.equal((await ask('POST', '/api/login', {}, { key })).code, 'too_many_attempts')
})

test('a tenant that asks in a loop is stopped, and no other', async () => {
  const { key } = make()
  const other = make({ tenant: 'rival' })
  const statuses = new Set<number>()
  for (let number = 0; number < 1210; number++) statuses.add((await ask('GET', '/api/whoami', key)).status)
  assert.deepEqual([...statuses].sort(), [200, 429])
  assert.equal((await ask('GET', '/api/tenant', other.key)).status, 200)
})

test('making and revoking in a loop ends too', async () => {
  quotaOfAcme()
  const { key } = make()
  const { store } = operator.factory
  const now = operator.factory.now()
  for (let number = 0; number < 100; number++)
    createKey(store, operator.factory.pepper, { ...plain, expires_ms: now + 1000, by_tenant: true }, now - 1000)
  assert.equal((await create(key)).code, 'key_quota_reached')
})

test('however many keys were made, one that leaked is replaced', async () => {
  const { store, pepper } = operator.factory
  const now = operator.factory.now()
  const { key, record } = make()
  quota(1000)
  const many = (count: number, by_tenant: boolean): void => {
    for (let number = 0; number < count; number++)
      createKey(store, pepper, { ...plain, expires_ms: now + 1000, by_tenant }, now - 1000)
  }
  const rotate = (id: string, by: string) => ask('POST', `/api/tenant/keys/${id}/rotate`, by)
  many(120, false)
  const mine = await create(key)
  assert.equal(mine.status, 200, 'what the factory made for it uses nothing up')
  many(100, true)
  assert.equal((await create(key)).code, 'key_quota_reached')
  const replaced = await rotate(mine.value.id, mine.value.key)
  assert.equal(replaced.status, 200)
  many(100, true)
  assert.equal((await rotate(replaced.value.id, replaced.value.key)).code, 'key_quota_reached', 'a loop ends')
  assert.equal((await ask('DELETE', `/api/tenant/keys/${replaced.value.id}`, key)).status, 200)
  assert.equal((await rotate(record.id, key)).status, 200, 'one of the factory is replaced whatever was made')
})
