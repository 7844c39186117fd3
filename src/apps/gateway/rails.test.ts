import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outputTokens } from '../../books/usage.ts'
import { bench, chatBody, delta, done, eventsOf, fakeUpstream, finish, type Setup, stream, until } from './testing.ts'

const denies: NonNullable<Setup['rails']>[number] = {
  name: 'no-herons',
  scope: 'tenant',
  of: 'acme',
  input: { words: ['heron'] },
  output: { words: ['heron'] },
}
const usage = { usage: { prompt_tokens: 9, completion_tokens: 3 } }
const say = (content: string) => chatBody({ messages: [{ role: 'user', content }] })

test('a denied prompt reaches no engine, leaves no row and costs nothing', async (t) => {
  const upstream = await fakeUpstream(t, (response) => response.end())
  const { post, journal, log } = await bench(t, { engines: [{ url: upstream.url }], rails: [denies] })
  const { status, json, text } = await post('/v1/chat/completions', say('where is the Heron?'))
  assert.deepEqual([status, json.error.code, json.error.param], [400, 'prompt_denied', 'messages[0].content'])
  assert.match(json.error.message, /no-herons.*nothing was billed/)
  assert(!text.includes('where') && !log.join().includes('where'), 'the prompt is in no error and no log')
  assert.deepEqual([upstream.seen.length, journal.rows.length], [0, 0])
})

test('an answer that is denied leaves as an error, streamed or not, and is billed for what was made', async (t) => {
  const upstream = await fakeUpstream(t, (response, { body }) => {
    if (body.stream) return stream(response, delta('it is a he'), delta('ron'), finish(), finish(usage), done)
    response.end(JSON.stringify({ choices: [{ message: { content: 'a heron' }, finish_reason: 'stop' }], ...usage }))
  })
  const { post, journal } = await bench(t, { engines: [{ url: upstream.url }], rails: [denies] })
  for (const more of [{}, { stream: true }]) {
    const { status, json, text } = await post('/v1/chat/completions', chatBody(more))
    assert.deepEqual([status, json.error.code], [422, 'answer_denied'], text)
    assert(!text.includes('it is') && !text.includes('a heron'))
  }
  assert.equal(journal.closes.length, 2)
  for (const row of journal.closes) {
    assert.equal(row.outcome, 'denied')
    assert(outputTokens(row.attempts[0]?.usage ?? assert.fail()) >= 2)
  }
})

test('an answer that is well comes whole, in the shape that was asked for', async (t) => {
  const upstream = await fakeUpstream(t, (response, { body }) => {
    if (body.stream) return stream(response, delta('a st'), delta('ork'), finish(), finish(usage), done)
    response.end(JSON.stringify({ choices: [{ message: { content: 'a stork' }, finish_reason: 'stop' }], ...usage }))
  })
  const { post, journal } = await bench(t, { engines: [{ url: upstream.url }], rails: [denies] })
  assert.equal((await post('/v1/chat/completions', chatBody())).json.choices[0].message.content, 'a stork')
  const { text } = await post(
    '/v1/chat/completions',
    chatBody({ stream: true, stream_options: { include_usage: true } }),
  )
  const events = eventsOf(text)
  assert.equal(events.map((event) => event.choices?.[0]?.delta?.content ?? '').join(''), 'a stork')
  assert.equal(events.at(-1), '[DONE]')
  assert.equal(events.at(-2).usage.completion_tokens, 3)
  assert.deepEqual(
    journal.closes.map(({ outcome }) => outcome),
    ['complete', 'complete'],
  )
})

test('an answer that grows too large is cut at the engine', async (t) => {
  const upstream = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const more = setInterval(() => response.write(delta('x'.repeat(50))), 2)
    response.on('close', () => clearInterval(more))
  })
  const rail = { name: 'short', scope: 'model', of: 'm', output: { most_bytes: 200 } } satisfies NonNullable<
    Setup['rails']
  >[number]
  const { post, journal } = await bench(t, { engines: [{ url: upstream.url }], rails: [rail] })
  const { status, json } = await post('/v1/chat/completions', chatBody({ stream: true }))
  assert.deepEqual([status, json.error.code], [422, 'answer_too_large'])
  assert.equal(journal.closes[0]?.outcome, 'denied')
  await until(() => upstream.cut.length === 1)
})

test('a schema is asked of the whole answer; another tenant is not bound', async (t) => {
  let content = '{"intent":"pay"}'
  const upstream = await fakeUpstream(t, (response) =>
    response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], ...usage })),
  )
  const schema = { type: 'object', required: ['intent'], properties: { intent: { type: 'string' } } }
  const of = (tenant: string) => ({ name: tenant, scope: 'tenant' as const, of: tenant, output: { schema } })
  const own = await bench(t, { engines: [{ url: upstream.url }], rails: [of('acme')] })
  const others = await bench(t, { engines: [{ url: upstream.url }], rails: [of('rival')] })
  assert.equal((await own.post('/v1/chat/completions', chatBody())).status, 200)
  content = 'pay'
  assert.equal((await own.post('/v1/chat/completions', chatBody())).json.error.code, 'answer_invalid')
  assert.equal((await others.post('/v1/chat/completions', chatBody())).status, 200)
})

test('a client that leaves while its answer is held is billed as one that leaves', async (t) => {
  const upstream = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(delta('one'))
  })
  const { url, journal } = await bench(t, { engines: [{ url: upstream.url }], rails: [denies] })
  const leaving = new AbortController()
  const asked = fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer wm-test-canary-0123456789' },
    body: JSON.stringify(chatBody({ stream: true })),
    signal: leaving.signal,
  }).catch(() => undefined)
  await until(() => upstream.seen.length === 1 && journal.rows.length === 1)
  leaving.abort()
  await asked
  await until(() => journal.closes.length === 1)
  assert.equal(journal.closes[0]?.outcome, 'client_closed')
})
