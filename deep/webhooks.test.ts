/** What we send to webhooks, judged by the official SDK: our own reading of the specification is no judge of us. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import OpenAI from 'openai'
import { deliver, signed } from '../src/adapters/webhook/send.ts'
import type { Notice } from '../src/books/notice.ts'
import { served } from './served.ts'

const { webhooks } = new OpenAI({ apiKey: 'none' })
const secretOf = (seed: Buffer): string => `whsec_${seed.toString('base64')}`
const [old, young] = [secretOf(randomBytes(24)), secretOf(randomBytes(32))]

const notice = {
  id: 'ntc_1',
  type: 'budget.threshold',
  at_ms: Date.parse('2027-01-31T12:00:00Z'),
  data: { tenant: 'acme', of: 'Zoë – “naïve” ☃', percent: 80 },
} as unknown as Notice

interface Got {
  readonly headers: Record<string, string>
  readonly body: string
}

/** As it comes over a socket, and not as it was made. */
async function received(secrets: readonly string[], now_ms: number): Promise<Got> {
  const { promise, resolve } = Promise.withResolvers<Got>()
  using receiver = await served((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      response.writeHead(204).end()
      resolve({ headers: request.headers as Record<string, string>, body: Buffer.concat(parts).toString() })
    })
  })
  assert.deepEqual(await deliver(`${receiver.url}/hook`, signed(notice, secrets, now_ms)), { delivered: true })
  return promise
}

test('openai: what it unwraps is what was sent', async () => {
  const { headers, body } = await received([old], Date.now())
  const told: unknown = await webhooks.unwrap(body, headers, old)
  assert.deepEqual(told, { type: notice.type, timestamp: '2027-01-31T12:00:00.000Z', data: notice.data })
})

test('openai: while one secret takes the place of another, each of them is enough', async () => {
  const { headers, body } = await received([young, old], Date.now())
  for (const secret of [old, young]) await webhooks.verifySignature(body, headers, secret)
})

test('openai: another secret, a changed body, another id and an old time are refused', async () => {
  const { headers, body } = await received([old], Date.now())
  const refused = (what: string, tried: Promise<void>) =>
    assert.rejects(tried, OpenAI.InvalidWebhookSignatureError, what)
  await refused('secret', webhooks.verifySignature(body, headers, young))
  await refused('body', webhooks.verifySignature(body.replace('80', '90'), headers, old))
  await refused('id', webhooks.verifySignature(body, { ...headers, 'webhook-id': 'ntc_2' }, old))
  const late = await received([old], Date.now() - 600_000)
  await refused('time', webhooks.verifySignature(late.body, late.headers, old))
})

test('openai: a secret that is plain text signs as it stands', async () => {
  const { headers, body } = await received(['a secret of a person'], Date.now())
  await webhooks.verifySignature(body, headers, 'a secret of a person')
})
