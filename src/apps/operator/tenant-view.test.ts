import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { before, test } from 'node:test'
import type { Route } from './router.ts'
import { routes } from './routes/all.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'
import { ofFactory, settle, type TestTenant } from './testing-tenants.ts'

interface Heard {
  readonly status: number
  readonly code: string
  readonly text: string
}

interface Ask {
  readonly path: string
  readonly body?: unknown
  /** What comes back: something of one's own, nothing of anybody's, or a refusal. */
  readonly gives: 'own' | 'nothing' | number
}

const factories: { readonly seed: number; readonly operator: Operator; readonly tenants: readonly TestTenant[] }[] = []
before(async () => {
  for (const seed of [1, 2, 3]) {
    const operator = await lonelyOperator()
    factories.push({ seed, operator, tenants: settle(operator.factory, seed) })
  }
})

const ask = (operator: Operator, method: string, path: string, key: string, body?: unknown): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const { operatorSocket: socketPath } = operator.factory.home
    const asked = request({ socketPath, method, path, headers: { authorization: `Bearer ${key}` } }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, code: /"code":\s*"(\w+)"/.exec(text)?.[1] ?? '', text }),
      )
    })
    asked.on('error', reject)
    asked.end(body === undefined || method !== 'POST' ? undefined : JSON.stringify(body))
  })

const named = ({ method, path }: Route): string => `${method} ${path}`
const enc = encodeURIComponent
const own = routes.filter(({ role }) => role === 'tenant')

/** What each route is asked by one tenant: for itself, and for what is another's. A route that is not here fails the test. */
const asks: Record<string, (mine: TestTenant, other: TestTenant) => Ask[]> = {
  'GET /api/tenant': () => [{ path: '/api/tenant', gives: 'own' }],
  'GET /api/tenant/limits': () => [{ path: '/api/tenant/limits', gives: 'own' }],
  'GET /api/tenant/models': () => [{ path: '/api/tenant/models', gives: 'own' }],
  'GET /api/tenant/keys': (_, other) => [
    { path: '/api/tenant/keys', gives: 'own' },
    { path: `/api/tenant/keys?tenant=${enc(other.tenant)}`, gives: 400 },
  ],
  'POST /api/tenant/keys': (_, other) => [
    { path: '/api/tenant/keys', body: {}, gives: 'own' },
    { path: '/api/tenant/keys', body: { tenant: other.tenant }, gives: 400 },
    { path: '/api/tenant/keys', body: { models: [other.app] }, gives: 404 },
  ],
  'DELETE /api/tenant/keys/{id}': (_, other) => [
    { path: `/api/tenant/keys/${other.record.id}`, gives: 404 },
    { path: `/api/tenant/keys/${other.record.prefix}`, gives: 404 },
    { path: `/api/tenant/keys/${other.key}`, gives: 404 },
  ],
  'POST /api/tenant/keys/{id}/rotate': (_, other) => [
    { path: `/api/tenant/keys/${other.record.id}/rotate`, body: {}, gives: 404 },
    { path: `/api/tenant/keys/${other.limited.record.id}/rotate`, body: { overlap: '1h' }, gives: 404 },
  ],
  'GET /api/tenant/credits': (_, other) => [
    { path: '/api/tenant/credits', gives: 'own' },
    { path: `/api/tenant/credits?tenant=${enc(other.tenant)}`, gives: 400 },
  ],
  'GET /api/tenant/terms': (_, other) => [
    { path: '/api/tenant/terms', gives: 'own' },
    { path: `/api/tenant/terms?tenant=${enc(other.tenant)}`, gives: 400 },
  ],
  'GET /api/tenant/usage': () => [{ path: '/api/tenant/usage', gives: 'own' }],
  'GET /api/tenant/requests': (mine, other) => [
    { path: '/api/tenant/requests?limit=1000', gives: 'own' },
    { path: '/api/tenant/requests?limit=2', gives: 'own' },
    { path: `/api/tenant/requests?key=${mine.record.id}`, gives: 'own' },
    { path: `/api/tenant/requests?key=${other.record.id}`, gives: 404 },
    { path: `/api/tenant/requests?app=${other.app}`, gives: 'nothing' },
    { path: `/api/tenant/requests?outcome=failed&before=9999999999999/${other.request}`, gives: 'own' },
    { path: `/api/tenant/requests?tenant=${enc(other.tenant)}`, gives: 400 },
  ],
  'GET /api/tenant/errors': (_, other) => [
    { path: '/api/tenant/errors', gives: 'own' },
    { path: `/api/tenant/errors?app=${other.app}`, gives: 'nothing' },
  ],
  'GET /api/tenant/receipts/{id}': (mine, other) => [
    { path: `/api/tenant/receipts/${mine.request}`, gives: 'own' },
    { path: `/api/tenant/receipts/${mine.open}`, gives: 'own' },
    { path: `/api/tenant/receipts/${other.request}`, gives: 404 },
    { path: `/api/tenant/receipts/${other.open}`, gives: 404 },
  ],
  'GET /api/tenant/statement': (_, other) => [
    { path: '/api/tenant/statement', gives: 'own' },
    { path: '/api/tenant/statement?format=csv', gives: 'own' },
    { path: '/api/tenant/statement?format=html', gives: 'own' },
    { path: `/api/tenant/statement?tenant=${enc(other.tenant)}`, gives: 400 },
  ],
}

test('every tenant route × every pair of tenants: nothing of the other, and nothing of the factory', async () => {
  assert.deepEqual(own.map(named).sort(), Object.keys(asks).sort(), 'each route is asked')
  let pairs = 0
  for (const { seed, operator, tenants } of factories)
    for (const mine of tenants)
      for (const other of tenants.filter((each) => each !== mine)) {
        pairs++
        const strange = [...ofFactory, ...tenants.filter((each) => each !== mine).flatMap((each) => each.own)]
        for (const route of own)
          for (const { path, body, gives } of asks[named(route)]?.(mine, other) ?? []) {
            const { status, text } = await ask(operator, route.method, path, mine.key, body)
            const what = `seed ${seed}, ${mine.tenant} asks ${route.method} ${path}: ${status} ${text.slice(0, 300)}`
            assert.equal(status, typeof gives === 'number' ? gives : 200, what)
            const said = `${path} ${JSON.stringify(body)}` // what was asked may come back in an answer
            for (const word of strange) assert(said.includes(word) || !text.includes(word), `${word}: ${what}`)
            const found = mine.own.some((word) => text.includes(word))
            if (gives === 'own') assert(found, `nothing of its own: ${what}`)
            if (gives === 'nothing') assert(!found, what)
          }
      }
  assert.equal(pairs, 36)
})

test('what is another’s is answered as what is not there', async () => {
  for (const { operator, tenants } of factories.slice(0, 1))
    for (const mine of tenants)
      for (const other of tenants.filter((each) => each !== mine))
        for (const route of own.filter(({ path }) => path.includes('{id}'))) {
          const id = route.path.includes('receipts') ? other.request : other.record.id
          const made_up = id.replace(/.$/, (last) => (last === 'z' ? 'y' : 'z'))
          const [there, nowhere] = await Promise.all(
            [id, made_up].map((each) => ask(operator, route.method, route.path.replace('{id}', each), mine.key, {})),
          )
          assert.equal(there?.status, 404)
          assert.equal(there?.text.replaceAll(id, '…'), nowhere?.text.replaceAll(made_up, '…'), named(route))
        }
})

test('every route × a tenant’s key: its own view, who it is and its way out, and no more', async () => {
  const [{ operator, tenants } = assert.fail()] = factories
  const key = tenants[0]?.key ?? ''
  const allowed: string[] = []
  for (const route of routes.filter(({ role }) => role !== 'anyone' && role !== 'gateway')) {
    const { status, code } = await ask(operator, route.method, route.path.replace(/\{\w+\}/g, 'nothing'), key, {})
    if (route.role === 'tenant' || route.tenants) {
      assert(status !== 401 && code !== 'forbidden', `${named(route)}: ${status} ${code}`)
      allowed.push(named(route))
    } else assert.deepEqual([status, code], [403, 'forbidden'], named(route))
  }
  const whoami = JSON.parse((await ask(operator, 'GET', '/api/whoami', key)).text)
  assert.equal(whoami.role, 'tenant')
  const anyone = routes.filter(({ role }) => role === 'anyone').map(named)
  assert.deepEqual(whoami.may.sort(), [...allowed, ...anyone].sort(), 'the console is told the same')
})

test('no role of the factory has a tenant’s view, not even the owner’s', async () => {
  const [{ operator } = assert.fail()] = factories
  const admin = readFileSync(operator.factory.home.adminKey, 'utf8')
  for (const route of own) {
    const { status, code } = await ask(operator, route.method, route.path.replace('{id}', 'x'), admin, {})
    assert.deepEqual([status, code], [403, 'forbidden'], named(route))
  }
})
