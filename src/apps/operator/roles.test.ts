import assert from 'node:assert/strict'
import { request } from 'node:http'
import { before, test } from 'node:test'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { all } from '../../adapters/sqlite/query.ts'
import { includes, type Role, roles } from '../../adapters/sqlite/registry/admins.ts'
import { createKey } from '../../adapters/sqlite/registry/keys.ts'
import { closeRow, gateway, journaled, setTestPrice } from '../../adapters/sqlite/testing.ts'
import { id, type TenantId } from '../../units/ids.ts'
import { owner } from './auth.ts'
import { dispatch, type Route } from './router.ts'
import { routes } from './routes/all.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'

interface Holder {
  readonly role: Role
  readonly tenant: string | undefined
  readonly key: string
}

interface Heard {
  readonly status: number
  readonly code: string
  readonly text: string
  readonly cookie: string
}

let operator: Operator
const holders: Holder[] = []
const tenants = ['acme', 'rival'] as const
/** Of each tenant: one of its keys, and one of its requests. */
const things: Record<string, { readonly key: string; readonly request: string }> = {}

before(async () => {
  operator = await lonelyOperator()
  const { store, pepper } = operator.factory
  setTestPrice(store)
  const limits = { models: null, requests_per_minute: null, tokens_per_minute: null, expires_ms: null, slo: 'standard' }
  for (const [index, tenant] of tenants.entries()) {
    const made = createKey(store, pepper, { ...limits, slo: 'standard', tenant, application: 'app' }, 1)
    const row = closeRow(index + 1, { tenant: id<TenantId>(tenant), closed_ms: operator.factory.now() })
    ingestJournal(store, gateway, journaled([row], index + 1))
    things[tenant] = { key: made.record.id, request: row.id }
    await local('POST', '/api/terms', { kind: 'free', tokens: '1000', tenant })
  }
  for (const role of roles)
    for (const tenant of role === 'admin' ? [undefined] : [undefined, 'acme']) {
      const made = await local('POST', '/api/admins', { name: `${role} ${tenant}`, role, ...(tenant && { tenant }) })
      holders.push({ role, tenant, key: String(made.key) })
    }
})

/** As the command line of a stopped factory asks. */
async function local(method: string, url: string, body?: unknown): Promise<Record<string, unknown>> {
  const reply = await dispatch(routes, operator.factory, { method, url, body }, () => owner)
  assert('json' in reply.body)
  return reply.body.json as Record<string, unknown>
}

const ask = (
  method: string,
  path: string,
  key: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${key}` },
): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: operator.factory.home.operatorSocket, method, path, headers }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      reply.on('end', () => {
        const code = /"code":\s*"(\w+)"/.exec(text)?.[1] ?? ''
        const cookie = reply.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
        resolve({ status: reply.statusCode ?? 0, code, text, cookie })
      })
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })

/** A path with names that stand for nothing, so that what is allowed finds nothing to change. */
const nowhere = (route: Route): string => route.path.replace(/\{\w+\}/g, 'nothing')
const guarded = routes.filter(({ role }) => role !== 'anyone' && role !== 'gateway')
const isRole = (role: string): role is Role => roles.some((one) => one === role)

test('each route × role × tenant is allowed or refused as the route says', async () => {
  let [allowed, refused] = [0, 0]
  for (const route of guarded)
    for (const { role, tenant, key } of holders) {
      const { status, code } = await ask(route.method, nowhere(route), key)
      const may = isRole(route.role) && includes(role, route.role) && (tenant === undefined || route.of !== undefined)
      const what = `${route.method} ${route.path} as ${role} of ${tenant ?? 'all'}: ${status} ${code}`
      if (may) assert(status !== 401 && status !== 403, what)
      else assert.deepEqual([status, code], [403, 'forbidden'], what)
      if (may) allowed++
      else refused++
    }
  assert(allowed > 100 && refused > 60, `${allowed} allowed, ${refused} refused`)
})

test('a key of one tenant sees that tenant alone, on every route that it may call', async () => {
  const mine = holders.filter(({ tenant }) => tenant === 'acme')
  let checked = 0
  for (const route of guarded.filter(({ of }) => of !== undefined && of !== 'everybody'))
    for (const { role, key } of mine) {
      if (!isRole(route.role) || !includes(role, route.role)) continue
      checked++
      const what = `${route.method} ${route.path} as ${role}`
      if (route.of === 'field') {
        const [url, body] =
          route.method === 'GET' ? [`${route.path}?tenant=rival`, undefined] : [route.path, { tenant: 'rival' }]
        const { status, code, text } = await ask(route.method, url, key, body)
        assert.deepEqual([status, code], [403, 'forbidden'], what)
        assert(!text.includes(things.rival?.key ?? ''), what)
        if (route.method !== 'GET') continue
        const own = await ask('GET', route.path, key)
        assert.equal(own.status, 200, what)
        assert(!own.text.includes('rival') && own.text.includes('acme'), `${what}: ${own.text}`)
        continue
      }
      const thing = (tenant: string) =>
        (route.path.includes('receipts') ? things[tenant]?.request : things[tenant]?.key) ?? ''
      const of = (tenant: string) => route.path.replace('{id}', thing(tenant))
      assert.equal((await ask(route.method, of('rival'), key)).status, 404, what)
      if (route.method === 'GET') assert.equal((await ask('GET', of('acme'), key)).status, 200, what)
    }
  assert(checked >= 10, `only ${checked} pairs seen`)
  const keys = (await local('GET', '/api/keys?tenant=rival')).keys as { state: string }[]
  assert(
    keys.every(({ state }) => state === 'active'),
    'nothing of the other tenant was changed',
  )
})

test('what a contract says is seen by its tenant and the factory, and by no other tenant', async () => {
  for (const [tenant, input] of [
    [undefined, '1'],
    ['acme', '0.123'],
    ['rival', '0.456'],
  ])
    await local('POST', '/api/prices', { model: 'contracted', input, output: '2', tenant })
  const whole = holders.find(({ tenant, role }) => tenant === undefined && role === 'viewer')
  const mine = holders.find(({ tenant, role }) => tenant === 'acme' && role === 'viewer')
  assert(whole && mine)
  for (const path of ['/api/prices', '/api/prices/contracted']) {
    const [all, own] = [(await ask('GET', path, whole.key)).text, (await ask('GET', path, mine.key)).text]
    assert(all.includes('"0.123"') && all.includes('"0.456"'), path)
    assert(own.includes('"0.123"') && !own.includes('"0.456"') && !own.includes('rival'), path)
  }
  await local('POST', '/api/prices', { model: 'secret', input: '1', output: '2', tenant: 'rival' })
  const { status, text } = await ask('GET', '/api/prices/secret', mine.key)
  assert.equal(status, 404)
  assert(!text.includes('did you mean'), text)
})

/** What a viewer may post: questions that are too long for an address, and its own way out. */
const asking = ['/api/logout', '/api/books/check', '/api/books/rerate', '/api/books/reconcile']
test('reading is a viewer’s, and a viewer changes nothing', () => {
  for (const { method, path, role } of guarded.filter(({ role }) => isRole(role)))
    if (method === 'GET') assert.equal(role, 'viewer', path)
    else if (role === 'viewer') assert(asking.includes(path), path)
})

test('a session has the role of its key, and ends with it', async () => {
  const made = await local('POST', '/api/admins', { name: 'Ada', role: 'viewer' })
  const { cookie } = await ask('POST', '/api/login', '', { key: made.key }, {})
  const headers = { cookie, 'x-wattmill': '1' }
  const me = JSON.parse((await ask('GET', '/api/whoami', '', undefined, headers)).text)
  assert.deepEqual([me.name, me.role, me.tenant], [`Ada (${made.id})`, 'viewer', null])
  assert(me.may.includes('GET /api/status') && !me.may.includes('POST /api/keys'))
  assert.equal((await ask('POST', '/api/try-key', '', {}, headers)).status, 403)
  await local('DELETE', `/api/admins/${made.id}`)
  assert.equal((await ask('GET', '/api/status', '', undefined, headers)).status, 401)
  assert.equal((await ask('GET', '/api/status', String(made.key))).status, 401)
  const bound = holders.find(({ tenant }) => tenant === 'acme')
  assert.equal((await ask('POST', '/api/login', '', { key: bound?.key }, {})).status, 403)
})

test('keys of the control API are shown once and stored nowhere; an admin cannot be of one tenant', async () => {
  const listed = JSON.stringify(await local('GET', '/api/admins'))
  const stored = JSON.stringify(all(operator.factory.store.database, 'select * from admin_key'))
  for (const { key } of holders) assert(!listed.includes(key) && !stored.includes(key))
  for (const [body, code] of [
    [{ name: 'x', role: 'admin', tenant: 'acme' }, 'invalid_value'],
    [{ name: 'x', role: 'viewer', tenant: 'nobody' }, 'not_found'],
    [{ name: 'x', role: 'root' }, 'invalid_value'],
    [{ name: 'a\u0007b', role: 'viewer' }, 'invalid_value'],
  ] as const)
    assert.equal(((await local('POST', '/api/admins', body)).error as { code: string }).code, code)
})

test('what is done is logged in the name of the key that did it, also when no table was changed', async () => {
  const holder = holders.find(({ role, tenant }) => role === 'operator' && tenant === undefined)
  const log = async () => (await local('GET', '/api/changes?limit=3')).changes as Record<string, unknown>[]
  assert.equal((await ask('POST', '/api/apps', holder?.key ?? '', { tenant: 'acme', name: 'made' })).status, 200)
  const [made] = await log()
  assert.match(String(made?.who), /^operator undefined \(adm_\w+\)$/)
  assert.deepEqual(
    [made?.action, made?.kind, made?.what, made?.before],
    ['POST /api/apps', 'application', 'acme/made', null],
  )
  for (let time = 0; time < 2; time++)
    assert.equal((await ask('POST', '/api/engines/embedded/drain', holder?.key ?? '', {})).status, 200)
  const [again, first] = await log()
  assert.deepEqual([first?.kind, JSON.stringify(first?.after).includes('"draining":1')], ['engine', true])
  assert.deepEqual([again?.kind, again?.what, again?.before, again?.after], ['deed', 'embedded', null, null])
  const refused = await ask('POST', '/api/gateways/restart', holder?.key ?? '')
  assert.equal(refused.status, 409)
  assert.equal((await log())[0]?.seq, again?.seq, 'what was not done is not in it')
  assert.equal((await local('GET', '/api/changes/check')).whole, true)
})
