import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { listNotices } from '../../adapters/sqlite/notices.ts'
import { setAllowance } from '../../adapters/sqlite/registry/allowances.ts'
import { id } from '../../units/ids.ts'
import { owner } from './auth.ts'
import { noticeBudgets, startNotifier } from './notify.ts'
import { dispatch } from './router.ts'
import { routes } from './routes/all.ts'
import { operatorSettings } from './settings.ts'
import { type Operator, startOperator } from './start.ts'
import { lonelyOperator, temporary } from './testing.ts'

interface Heard {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A receiver of webhooks; `status` is what it answers, one after the other, the last one for ever. */
async function receiver(t: TestContext, ...status: number[]) {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      heard.push({ headers: request.headers, body })
      response.writeHead(status[Math.min(heard.length, status.length) - 1] ?? 200).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks` }
}

async function ask({ factory }: Operator, method: string, url: string, body?: unknown) {
  const reply = await dispatch(routes, factory, { method, url, body }, () => owner)
  assert('json' in reply.body)
  return { status: reply.status, json: reply.body.json as Record<string, unknown> & { error?: { code: string } } }
}

function secretFile(name: string, secret: string): string {
  const file = join(temporary(), name)
  writeFileSync(file, secret, { mode: 0o600 })
  return `file:${file}`
}

async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 200; tries++, await after(50)) {
    const found = look()
    if (found !== undefined) return found
  }
  throw new Error(`${what} did not happen`)
}

const states = ({ factory }: Operator) =>
  listNotices(factory.store, 100).map(({ notice, deliveries }) => [
    notice.type,
    ...deliveries.map(({ delivered_ms, next_ms }) =>
      delivered_ms !== null ? 'delivered' : next_ms === null ? 'given up' : 'owed',
    ),
  ])

test('a test notice arrives, signed with every secret that is named', async (t) => {
  const operator = await lonelyOperator()
  const { heard, url } = await receiver(t, 204)
  const secrets_from = [secretFile('new', 'whsec_c2VjcmV0'), secretFile('old', 'plain words')]
  assert.equal((await ask(operator, 'POST', '/api/webhooks', { name: 'ops', url, secrets_from })).status, 200)
  await ask(operator, 'POST', '/api/webhooks/ops/test', {})
  const { headers, body } = await until('the notice arrived', () => heard[0])
  const signatures = [Buffer.from('secret'), Buffer.from('plain words')].map((key) => {
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  })
  assert.equal(headers['webhook-signature'], signatures.join(' '))
  assert.equal((JSON.parse(body) as { type: string }).type, 'webhook.test')
  await until('it is noted', () => (states(operator)[0]?.[1] === 'delivered' ? true : undefined))
  assert(!JSON.stringify(await ask(operator, 'GET', '/api/webhooks')).includes('plain words'))
})

test('shares of a budget are told once a period each, to those who want to hear of them', async (t) => {
  const operator = await lonelyOperator()
  const { factory } = operator
  const { heard, url } = await receiver(t, 200)
  const secrets_from = [secretFile('s', 'x')]
  await ask(operator, 'POST', '/api/webhooks', { name: 'all', url, secrets_from })
  await ask(operator, 'POST', '/api/webhooks', { name: 'last', url, secrets_from, types: ['budget.exhausted'] })
  const budget = { scope: 'tenant', of: 'acme', unit: 'nano-USD', renews: 'never', amount: 1000n } as const
  const { id: allowance } = setAllowance(factory.store, budget, factory.now())
  const leases = factory.live?.leases
  assert(leases)
  const take = (want: bigint, free: bigint, returned = 0n): void =>
    void leases.answer(
      id('g'),
      [{ allowance, period: 0, want, ahead: 0n, free, reserved: 0n, returned }],
      factory.now(),
    )
  take(600n, 0n)
  take(0n, 200n) // two hundred of them are still free with the gateway
  noticeBudgets(factory, { leases })
  assert.deepEqual(states(operator), [])
  take(250n, 200n)
  take(0n, 0n)
  for (let again = 0; again < 3; again++) noticeBudgets(factory, { leases })
  assert.deepEqual(
    states(operator)
      .map(([type]) => type)
      .sort(),
    ['budget.threshold', 'budget.threshold'],
  )
  take(150n, 0n)
  take(0n, 0n)
  noticeBudgets(factory, { leases })
  await until('all have heard', () => (heard.length === 4 ? true : undefined))
  const told = heard.map(({ body }) => JSON.parse(body) as { type: string; data: { percent: number; used: string } })
  assert.deepEqual(told.map(({ data }) => data.percent).sort(), [100, 100, 50, 80])
  assert.equal(told.find(({ data }) => data.percent === 100)?.data.used, '1000')
})

test('what its receiver did not take is tried again, after a start of the operator too, and never lost', async (t) => {
  const { heard, url } = await receiver(t, 500, 200)
  const home = join(temporary(), 'home')
  const start = () => startOperator(home, operatorSettings(undefined), () => undefined)
  const before = await start()
  await ask(before, 'POST', '/api/webhooks', { name: 'ops', url, secrets_from: [secretFile('s', 'x')] })
  await ask(before, 'POST', '/api/webhooks/ops/test', {})
  await until('it was refused once', () => (heard.length === 1 && states(before)[0]?.[1] === 'owed' ? true : undefined))
  assert.match(JSON.stringify(listNotices(before.factory.store, 1)), /answered 500/)
  await before.stop()

  const again = await start()
  t.after(() => again.stop())
  const [{ notice } = assert.fail('it is there')] = listNotices(again.factory.store, 1)
  assert.equal((await ask(again, 'POST', `/api/notices/${notice.id}/retry`, {})).json.owed, 1)
  await until('it was taken', () => (states(again)[0]?.[1] === 'delivered' ? true : undefined))
  assert.equal(heard[0]?.headers['webhook-id'], heard[1]?.headers['webhook-id'], 'one notice, one name')
  assert.equal((await ask(again, 'POST', `/api/notices/${notice.id}/retry`, {})).status, 404)
})

test('a receiver that wants no more is not asked again, and one that may not be reached is not reached', async (t) => {
  const operator = await lonelyOperator()
  const { heard, url } = await receiver(t, 410)
  const secrets_from = [secretFile('s', 'x')]
  await ask(operator, 'POST', '/api/webhooks', { name: 'gone', url, secrets_from })
  await ask(operator, 'POST', '/api/webhooks/gone/test', {})
  await until('it was given up', () => (states(operator)[0]?.[1] === 'given up' ? true : undefined))
  assert.equal(heard.length, 1)

  await ask(operator, 'POST', '/api/webhooks', { name: 'meta', url: 'http://169.254.169.254/latest', secrets_from })
  await ask(operator, 'POST', '/api/webhooks/meta/test', {})
  const trouble = await until(
    'it was refused',
    () => listNotices(operator.factory.store, 1)[0]?.deliveries[0]?.trouble ?? undefined,
  )
  assert.match(trouble, /169\.254\.169\.254/)
})

test('what cannot be a webhook is refused with its reason', async () => {
  const operator = await lonelyOperator()
  const good = { name: 'ops', url: 'https://ops.example/x', secrets_from: [secretFile('s', 'x')] }
  for (const [wrong, code] of [
    [{ url: 'ftp://ops.example' }, 'invalid_value'],
    [{ url: 'https://me:secret@ops.example' }, 'invalid_value'],
    [{ secrets_from: ['swordfish'] }, 'invalid_value'],
    [{ secrets_from: ['env:NOT_SET_ANYWHERE'] }, 'invalid_value'],
    [{ types: ['everything'] }, 'invalid_value'],
  ] as const)
    assert.equal((await ask(operator, 'POST', '/api/webhooks', { ...good, ...wrong })).json.error?.code, code)
  assert.equal((await ask(operator, 'DELETE', '/api/webhooks/ops')).json.error?.code, 'not_found')
})

test('what fails in every look, such as a store that is away, is said once', async () => {
  let asked = 0
  const leads = (): never => {
    asked++
    throw new Error('away')
  }
  const said: string[] = []
  const factory = { store: { leads }, now: Date.now, log: (line: string) => said.push(line) }
  const notifier = startNotifier(factory as never, {} as never)
  await until('it has looked three times', () => (asked >= 3 ? true : undefined))
  await notifier.close()
  assert.deepEqual(said, ['notices: away'])
})
