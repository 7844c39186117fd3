import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { before, test } from 'node:test'
import { routes } from './routes/all.ts'
import type { Operator } from './start.ts'
import { lonelyOperator } from './testing.ts'

let operator: Operator
before(async () => {
  operator = await lonelyOperator()
})

interface Heard {
  readonly status: number
  readonly cookie: string
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: operator.factory.home.operatorSocket, method, path, headers }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      const cookie = reply.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, cookie, text, headers: reply.headers }))
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })

const adminKey = (): string => readFileSync(operator.factory.home.adminKey, 'utf8')

test('without the admin key every route is shut, but the page and logging in', async () => {
  assert(routes.length > 20, 'a check that saw nothing proves nothing')
  for (const route of routes.filter(({ role }) => role !== 'anyone' && role !== 'gateway')) {
    const path = route.path.replace(/\{\w+\}/g, 'x')
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { cookie: 'wattmill_session=wrong' }])
      assert.equal((await ask(route.method, path, headers)).status, 401, `${route.method} ${path}`)
  }
  assert.deepEqual(
    routes.filter(({ role }) => role === 'anyone').map(({ path }) => path),
    ['/', '/assets/{file}', '/api/login'],
  )
})

test('secrets and sockets are their owner’s alone', { skip: process.platform === 'win32' }, () => {
  const { adminKey, pepper, operatorSocket } = operator.factory.home
  for (const path of [adminKey, pepper, operatorSocket]) assert.equal(statSync(path).mode & 0o777, 0o600, path)
})

test('a session reads by cookie, and changes only with the header of our own page', async () => {
  const { cookie, headers } = await ask('POST', '/api/login', {}, { key: adminKey() })
  assert.match(String(headers['set-cookie']), /HttpOnly; SameSite=Strict; Max-Age=43200/)
  assert.equal((await ask('GET', '/api/status', { cookie })).status, 200)
  assert.equal((await ask('POST', '/api/try-key', { cookie })).status, 403)
  const made = await ask('POST', '/api/try-key', { cookie, 'x-wattmill': '1' })
  assert.equal(JSON.parse(made.text).tenant, 'console')
  await ask('POST', '/api/logout', { cookie, 'x-wattmill': '1' })
  assert.equal((await ask('GET', '/api/status', { cookie })).status, 401)
})

test('a session that began over TLS never travels without', async () => {
  const { headers } = await ask('POST', '/api/login', { 'x-forwarded-proto': 'https' }, { key: adminKey() })
  assert.match(String(headers['set-cookie']), /; Secure$/)
})

test('gateways are served by the socket, clients of a gateway are not', async () => {
  const sync = {
    incarnation: 'g',
    pid: 1,
    snapshot: 0,
    ready: true,
    running: 0,
    waiting: 0,
    journal_depth: 0,
    journal_up: true,
    peers: 0,
    replicas: [],
    models: [],
    flows: [],
    metrics: { number: 1, counts: {} },
  }
  assert.equal((await ask('POST', '/internal/sync', { 'x-forwarded-for': '::1' }, sync)).status, 404)
  assert(JSON.parse((await ask('POST', '/internal/sync', {}, sync)).text).snapshot.number >= 1)
})

test('wrong admin keys shut the door of the log-in for a while', async () => {
  const statuses: number[] = []
  for (let attempt = 0; attempt < 11; attempt++)
    statuses.push((await ask('POST', '/api/login', {}, { key: 'no' })).status)
  assert.deepEqual(new Set(statuses.slice(0, 10)), new Set([401]))
  assert.equal(statuses[10], 429)
  const elsewhere = await ask('POST', '/api/login', { 'x-forwarded-for': '192.0.2.1' }, { key: adminKey() })
  assert.equal(elsewhere.status, 200, 'another address is not shut out')
  assert.equal((await ask('GET', '/api/status', { authorization: `Bearer ${adminKey()}` })).status, 200)
})

test('metrics are for programs of this machine, and for the admin key from elsewhere', async () => {
  const near = await ask('GET', '/metrics', { 'x-wattmill-near': '1' })
  assert.equal(near.status, 200)
  assert.match(String(near.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.equal((await ask('GET', '/metrics', { 'x-wattmill-near': '0' })).status, 401)
  assert.equal((await ask('GET', '/metrics', { authorization: `Bearer ${adminKey()}` })).status, 200)
  assert.equal((await ask('GET', '/api/status', { 'x-wattmill-near': '1' })).status, 401)
})
