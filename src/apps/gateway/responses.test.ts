import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bench,
  chunkOf,
  delta,
  done,
  eventsOf,
  fakeUpstream,
  finish,
  otherKey,
  parsed,
  stream,
  testKey,
} from './testing.ts'

const usage = {
  prompt_tokens: 12,
  completion_tokens: 5,
  total_tokens: 17,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 2 },
}
const wired = {
  input_tokens: 12,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 17,
}
const thought = chunkOf({ index: 0, delta: { reasoning_content: 'hm' }, finish_reason: null })

/** Answers whatever it is asked, streamed or whole. */
const talker = (text = 'Hello', reason = 'stop') =>
  ((response, { body }) => {
    if (body.stream)
      return stream(
        response,
        thought,
        delta(text),
        chunkOf({ index: 0, delta: {}, finish_reason: reason }, { usage }),
        done,
      )
    const message = { role: 'assistant', content: text, reasoning_content: 'hm' }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ id: 'up', choices: [{ index: 0, message, finish_reason: reason }], usage }))
  }) satisfies Parameters<typeof fakeUpstream>[1]

const get = async (url: string, method = 'GET', key = testKey) => {
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${key}` } })
  return { status: response.status, json: parsed(await response.text()) }
}

test('a response, streamed and not: the same items, usage and price', async (t) => {
  const up = await fakeUpstream(t, talker())
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const whole = await post('/v1/responses', { model: 'm', input: 'hello', temperature: 0.5, metadata: { a: 'b' } })
  assert.equal(whole.status, 200)
  const rid = whole.headers.get('x-request-id')
  assert.equal(whole.json.id, `resp_${rid}`)
  assert.deepEqual(
    [whole.json.object, whole.json.status, whole.json.model, whole.json.temperature, whole.json.store],
    ['response', 'completed', 'm', 0.5, true],
  )
  assert.deepEqual(whole.json.metadata, { a: 'b' })
  assert.deepEqual(whole.json.usage, wired)
  assert.equal(whole.headers.get('x-wattmill-cost-usd'), whole.json.wattmill.cost_usd)

  const streamed = await post('/v1/responses', { model: 'm', input: 'hello', stream: true })
  const events = eventsOf(streamed.text)
  assert.deepEqual(
    events.map(({ type }) => type.replace('response.', '')),
    [
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'reasoning_text.delta',
      'reasoning_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ],
  )
  assert.deepEqual(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, at) => at),
  )
  const names = [...streamed.text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)
  assert.deepEqual(
    names,
    events.map(({ type }) => type),
  )
  const last = events.at(-1).response
  const text = (response: typeof last) => response.output.map((item: { content: unknown }) => item.content)
  assert.deepEqual(text(last), text(whole.json))
  assert.deepEqual(last.usage, whole.json.usage)
  assert.equal(last.wattmill.cost_usd, whole.json.wattmill.cost_usd)
  assert.deepEqual(journal.closes[0]?.attempts, journal.closes[1]?.attempts)
  assert.deepEqual(
    journal.rows.map(({ kind }) => kind),
    ['open', 'close', 'open', 'close'],
  )
})

test('a conversation goes on from what is kept; to another tenant it is not there', async (t) => {
  const up = await fakeUpstream(t, talker())
  const { post, url } = await bench(t, { engines: [{ url: up.url }] })
  const first = await post('/v1/responses', { model: 'm', input: 'one', instructions: 'be brief' })
  const ask = { model: 'm', input: 'two', previous_response_id: first.json.id }
  const second = await post('/v1/responses', ask)
  assert.deepEqual(up.seen[1]?.body.messages, [
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'Hello', reasoning_content: 'hm' },
    { role: 'user', content: 'two' },
  ])
  const third = await post('/v1/responses', { model: 'm', input: 'three', previous_response_id: second.json.id })
  assert.equal(up.seen[2]?.body.messages.length, 5)
  assert.equal(third.json.previous_response_id, second.json.id)

  const at = `${url}/v1/responses/${second.json.id}`
  assert.deepEqual((await get(at)).json, second.json)
  const items = (await get(`${at}/input_items?order=asc`)).json
  assert.deepEqual(
    items.data.map(({ role, content }: { role: string; content: unknown }) => [role, content]),
    [['user', [{ type: 'input_text', text: 'two' }]]],
  )
  assert.deepEqual([items.has_more, items.first_id], [false, items.data[0].id])
  const reference = { model: 'm', input: [{ type: 'item_reference', id: items.data[0].id }] }
  assert.equal((await post('/v1/responses', reference)).status, 200)

  for (const hidden of [
    await get(at, 'GET', otherKey),
    await get(`${at}/input_items`, 'GET', otherKey),
    await get(at, 'DELETE', otherKey),
    await post('/v1/responses', ask, { authorization: `Bearer ${otherKey}` }),
    await post('/v1/responses', reference, { authorization: `Bearer ${otherKey}` }),
  ])
    assert.deepEqual([hidden.status, hidden.json.error.code], [404, 'response_not_found'])
  assert.equal((await get(at, 'GET', 'wm-nobody')).status, 401)

  assert.deepEqual((await get(at, 'DELETE')).json, { id: second.json.id, object: 'response', deleted: true })
  assert.equal((await get(at)).status, 404)
  const after = await post('/v1/responses', { model: 'm', input: 'x', previous_response_id: third.json.id })
  assert.deepEqual([after.status, after.json.error.param], [404, 'previous_response_id'])
})

test('what is not wanted kept, or cannot be, is not kept and says so', async (t) => {
  const up = await fakeUpstream(t, talker())
  const { post, url } = await bench(t, {
    engines: [{ url: up.url }],
    settings: { responses: { retentionMs: 86_400_000, bytesPerTenant: 3000 } },
  })
  const not = await post('/v1/responses', { model: 'm', input: 'one', store: false })
  assert.equal(not.json.store, false)
  assert.equal((await get(`${url}/v1/responses/${not.json.id}`)).status, 404)
  const large = await post('/v1/responses', { model: 'm', input: 'one'.repeat(1000) })
  assert.deepEqual([large.status, large.json.status, large.json.store], [200, 'completed', false])
})

test('an answer at its limit is incomplete, with the reason', async (t) => {
  const up = await fakeUpstream(t, talker('Hel', 'length'))
  const { post } = await bench(t, { engines: [{ url: up.url }] })
  const ask = { model: 'm', input: 'one', max_output_tokens: 5 }
  const whole = await post('/v1/responses', ask)
  assert.deepEqual([whole.json.status, whole.json.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }])
  assert.equal(whole.json.output.at(-1).status, 'incomplete')
  assert.equal(up.seen[0]?.body.max_completion_tokens, 5)
  const events = eventsOf((await post('/v1/responses', { ...ask, stream: true })).text)
  assert.equal(events.at(-1).type, 'response.incomplete')
})

test('a failure before content is an HTTP error; after it an error event, and a response that failed', async (t) => {
  let answers = 0
  const up = await fakeUpstream(t, (response) => {
    if (answers++ > 0) return stream(response, delta('Hel'))
    response.statusCode = 400
    response.end('{"error":{"message":"no such thing"}}')
  })
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const early = await post('/v1/responses', { model: 'm', input: 'one', stream: true })
  assert.deepEqual([early.status, early.json.error.code], [400, 'engine_refused'])
  const late = await post('/v1/responses', { model: 'm', input: 'one', stream: true })
  const [error, failed] = eventsOf(late.text).slice(-2)
  assert.deepEqual([error.type, error.code], ['error', 'stream_truncated'])
  assert.deepEqual(
    [failed.type, failed.response.status, failed.response.error.code, failed.response.output[0].content[0].text],
    ['response.failed', 'failed', 'server_error', 'Hel'],
  )
  assert.equal(journal.closes.at(-1)?.outcome, 'truncated')
})

test('calls of functions, and what a model that our engine serves too cannot do', async (t) => {
  const call = { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }
  const up = await fakeUpstream(t, (response) =>
    stream(response, chunkOf({ index: 0, delta: { tool_calls: [call] }, finish_reason: null }), finish(), done),
  )
  const tools = [{ type: 'function', name: 'f', parameters: { type: 'object', not: {} }, strict: true }]
  const { post } = await bench(t, { engines: [{ url: up.url }] })
  const events = eventsOf((await post('/v1/responses', { model: 'm', input: 'q', tools, stream: true })).text)
  const { response } = events.at(-1)
  assert.deepEqual(
    response.output.map(({ type, call_id, name, arguments: text }: Record<string, string>) => [
      type,
      call_id,
      name,
      text,
    ]),
    [['function_call', 'c1', 'f', '{"a":1}']],
  )
  const both = await bench(t, { engines: [{ url: up.url }, { vendor: 'llama' }] })
  const refused = await both.post('/v1/responses', { model: 'm', input: 'q', tools })
  assert.deepEqual([refused.status, refused.json.error.code], [400, 'unsupported_parameter'])
  assert.match(refused.json.error.param, /^tools\[0\]\.parameters/)
})
