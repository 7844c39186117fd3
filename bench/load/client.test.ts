import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { answerOf } from '../audit/answer.ts'
import type { ClientRecord } from '../audit/records.ts'
import type { Message } from './client.ts'
import { load, messages, send } from './client.ts'

const message = (ask: object, more: Partial<Message> = {}): Message => ({
  client: 7,
  stream: false,
  body: JSON.stringify(ask),
  leaves: null,
  ...more,
})

/** An upstream that does as the message's `do` says. */
async function withServer(run: (base: string, seen: { most: number }) => Promise<void>): Promise<void> {
  const seen = { now: 0, most: 0 }
  const server = createServer(async (request, response) => {
    seen.most = Math.max(seen.most, ++seen.now)
    response.on('close', () => seen.now--)
    const ask = JSON.parse(Buffer.concat(await request.toArray()).toString()) as { do?: string; stream?: boolean }
    response.setHeader('x-request-id', 'gw-1')
    const usage = { prompt_tokens: 3, completion_tokens: 2 }
    if (ask.do === 'hang') return
    if (ask.do === 'refuse') return void response.writeHead(429).end('{"error":{"code":"requests_per_minute"}}')
    const event = 'data: {"choices":[{"delta":{"content":"é"}}]}\n\n'
    if (ask.do === 'cut') {
      response.write(event, () => response.destroy())
      return
    }
    if (!ask.stream) return void response.end(JSON.stringify({ choices: [{ message: { content: 'é' } }], usage }))
    response.write(event)
    setTimeout(() => response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`), 5)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('a client logs what came, to the byte, and how it ended', () =>
  withServer(async (base) => {
    const whole = await send(base, 'k', message({ stream: true }, { stream: true }))
    assert.deepEqual([whole.id, whole.status, whole.ended], ['gw-1', 200, 'end'])
    assert(whole.received.includes('\u00c3\u00a9'), 'two bytes of é are two characters')
    assert.equal(whole.bytes, whole.received.length)
    assert.equal(answerOf(whole).complete, true)
    assert.equal(answerOf(whole).usage?.completion_tokens, 2)

    const cut = await send(base, 'k', message({ do: 'cut', stream: true }, { stream: true }))
    assert.deepEqual([cut.ended, answerOf(cut).complete, answerOf(cut).content], ['broken', false, true])
    const left = await send(base, 'k', message({ do: 'hang' }, { leaves: { after_ms: 20 } }))
    assert.deepEqual([left.ended, left.id, left.status, left.bytes], ['left', null, null, 0])
    const early = await send(base, 'k', message({ stream: true }, { stream: true, leaves: { after_chunks: 1 } }))
    assert.deepEqual([early.ended, early.chunks, answerOf(early).content], ['left', 1, true])
    const refused = await send(base, 'k', message({ do: 'refuse' }))
    assert.deepEqual([refused.status, refused.ended, answerOf(refused).failed], [429, 'end', true])
    const nobody = await send('http://127.0.0.1:1', 'k', message({}))
    assert.deepEqual([nobody.ended, nobody.status], ['broken', null])
  }))

test('a load sends every message once, no more at once than allowed', () =>
  withServer(async (base, seen) => {
    const all = messages({ messages: 60, model: 'm', seed: 1, leaving: 0.2 })
    const heard: ClientRecord[] = []
    await load(base, 'k', all, 4, (record) => heard.push(record))
    const ids = heard.map((record) => record.client).sort((a, b) => a - b)
    assert.deepEqual(
      ids,
      all.map((one) => one.client),
    )
    // A client that hung up frees its place before the server has noticed.
    assert(seen.most >= 2 && seen.most <= 8, `${seen.most} at once`)
  }))

test('who was let down waits for the factory, and sends nothing twice', async () => {
  const heard: ClientRecord[] = []
  let waited = 0
  const ready = async (): Promise<void> => void waited++
  const all = messages({ messages: 5, model: 'm', seed: 1, leaving: 0 })
  await load('http://127.0.0.1:1', 'k', all, 2, (record) => heard.push(record), ready)
  assert.equal(waited, 5)
  assert.deepEqual(heard.map((record) => record.client).sort(), [0, 1, 2, 3, 4])
})

test('a seed repeats its messages; streams ask for usage; a fifth of the clients leaves', () => {
  const config = { messages: 1000, model: 'm', seed: 5, leaving: 0.2 }
  const all = messages(config)
  assert.deepEqual(all, messages(config))
  assert.notDeepEqual(all, messages({ ...config, seed: 6 }))
  const leaving = all.filter((one) => one.leaves !== null).length
  assert(leaving > 150 && leaving < 250, `${leaving} leave`)
  for (const one of all) assert.equal(one.body.includes('include_usage'), one.stream)
})
