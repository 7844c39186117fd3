import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import {
  bench,
  chunkOf,
  delta,
  done,
  eventsOf,
  fakeUpstream,
  finish,
  parsed,
  stream,
  testKey,
  until,
} from './testing.ts'

/** The surface of Anthropic over engines with OpenAI's API. What the engines say is synthetic. */
const body = (more: object = {}): object => ({
  model: 'm',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'hello there' }],
  ...more,
})
const usage = {
  prompt_tokens: 12,
  completion_tokens: 5,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
}
const shownUsage = {
  input_tokens: 8,
  cache_read_input_tokens: 4,
  cache_creation_input_tokens: 0,
  output_tokens: 5,
  output_tokens_details: { thinking_tokens: 2 },
}
const namesIn = (text: string): string[] => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name ?? '')
const path = '/v1/messages'

test('an answer in one piece, with its thoughts, calls and usage', async (t) => {
  const up = await fakeUpstream(t, (response) => {
    const message = {
      role: 'assistant',
      content: 'I look.',
      reasoning_content: 'hm',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ id: 'x', choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage }))
  })
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const tools = [{ name: 'f', input_schema: { type: 'object' } }]
  const { status, json, headers } = await post(path, body({ tools, system: 'be brief' }), {
    authorization: '',
    'x-api-key': testKey,
  })
  assert.equal(status, 200)
  assert.equal(json.id, `msg_${headers.get('request-id')}`)
  assert.deepEqual([json.type, json.role, json.model, json.stop_reason], ['message', 'assistant', 'm', 'tool_use'])
  assert.deepEqual(json.content, [
    { type: 'thinking', thinking: 'hm', signature: '' },
    { type: 'text', text: 'I look.', citations: null },
    { type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 }, caller: { type: 'direct' } },
  ])
  for (const [field, value] of Object.entries(shownUsage)) assert.deepEqual(json.usage[field], value, field)
  assert.match(headers.get('x-wattmill-cost-usd') ?? '', /^0\.00/)
  const seen = up.seen[0]
  assert.equal(seen?.path, '/v1/chat/completions')
  assert.deepEqual(seen?.body.messages[0], { role: 'system', content: 'be brief' })
  assert.deepEqual([seen?.body.model, seen?.body.max_tokens, seen?.body.system], ['upstream-m', 50, undefined])
  assert.deepEqual(
    [journal.closes[0]?.outcome, journal.closes[0]?.attempts[0]?.usage.reasoning?.tokens],
    ['complete', 2],
  )
})

test('the same streamed: named events in their order, usage from the close row', async (t) => {
  const up = await fakeUpstream(t, (response) =>
    stream(
      response,
      chunkOf({ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }),
      chunkOf({ index: 0, delta: { reasoning_content: 'hm' }, finish_reason: null }),
      delta('Hel'),
      delta('lo'),
      chunkOf({ index: 0, delta: { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] } }),
      chunkOf({ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] } }),
      finish(),
      chunkOf(undefined, { usage }),
      done,
    ),
  )
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const { status, text, headers } = await post(path, body({ stream: true }))
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/event-stream/)
  const block = (count: number) => [
    'content_block_start',
    ...Array.from({ length: count }, () => 'content_block_delta'),
    'content_block_stop',
  ]
  assert.deepEqual(namesIn(text), [
    'message_start',
    'ping',
    ...block(1),
    ...block(2),
    ...block(1),
    'message_delta',
    'message_stop',
  ])
  const events = eventsOf(text)
  const last = events.at(-2)
  assert.deepEqual(last.delta.stop_reason, 'tool_use')
  assert.deepEqual(last.usage, { server_tool_use: null, ...shownUsage })
  assert.equal(last.wattmill.receipt, headers.get('x-request-id'))
  assert(!text.includes('[DONE]'))
  assert.equal(up.seen[0]?.body.stream_options.include_usage, true)
  assert.equal(journal.closes[0]?.stream, true)
})

test('errors have the shape of Anthropic, the status and code of ours, and say what to do', async (t) => {
  const up = await fakeUpstream(t, (response) => response.writeHead(429).end())
  const { post, url } = await bench(t, { engines: [{ url: up.url }] })
  const cases: readonly (readonly [object, Record<string, string>, number, string, string])[] = [
    [body(), { authorization: 'Bearer nobody' }, 401, 'authentication_error', 'invalid_api_key'],
    [body({ model: 'other' }), {}, 404, 'not_found_error', 'model_not_found'],
    [body({ max_tokens: undefined }), {}, 400, 'invalid_request_error', 'invalid_value'],
    [
      body({ tools: [{ type: 'bash_20250124', name: 'bash' }] }),
      {},
      400,
      'invalid_request_error',
      'unsupported_parameter',
    ],
    [body(), { 'content-type': 'text/plain' }, 415, 'invalid_request_error', 'unsupported_media_type'],
    [body(), {}, 503, 'overloaded_error', 'overloaded'],
    [body({ stream: true }), {}, 503, 'overloaded_error', 'overloaded'],
  ]
  for (const [asked, headers, status, type, code] of cases) {
    const reply = await post(path, asked, headers)
    assert.deepEqual([reply.status, reply.json.type, reply.json.error.type], [status, 'error', type], code)
    assert.equal(reply.json.error.details.error_code, code)
    assert.equal(reply.json.request_id, reply.headers.get('request-id'))
    assert(reply.json.error.message.includes(reply.json.request_id))
  }
  const nowhere = await fetch(`${url}${path}/other`, { method: 'POST', body: '{}' })
  const wrong = await fetch(`${url}${path}`)
  assert.deepEqual([nowhere.status, wrong.status], [404, 405])
  for (const reply of [nowhere, wrong]) assert.equal(parsed(await reply.text()).type, 'error')
})

test('a stream that breaks off after content ends with an error event, and is not billed', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, delta('half')))
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const { status, text } = await post(path, body({ stream: true }))
  assert.equal(status, 200)
  assert.equal(namesIn(text).at(-1), 'error')
  assert(!namesIn(text).includes('message_stop'))
  const { error } = eventsOf(text).at(-1)
  assert.deepEqual([error.type, error.details.error_code], ['api_error', 'stream_truncated'])
  assert.equal(journal.closes[0]?.outcome, 'truncated')
})

test('who leaves is billed for what was made, as in a chat', async (t) => {
  const endless = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const word of ['a', 'b', 'c']) response.write(delta(word))
  }
  const up = await fakeUpstream(t, endless)
  const { url, journal } = await bench(t, { engines: [{ url: up.url }] })
  for (const [where, asked] of [
    ['/v1/chat/completions', { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello there' }] }],
    [path, body({ stream: true })],
  ] as const) {
    const leave = new AbortController()
    const reply = await fetch(url + where, {
      method: 'POST',
      signal: leave.signal,
      headers: { 'content-type': 'application/json', 'x-api-key': testKey },
      body: JSON.stringify(asked),
    })
    const reader = reply.body?.getReader()
    for (let text = ''; !text.includes('"c"'); ) text += Buffer.from((await reader?.read())?.value ?? []).toString()
    leave.abort()
    const settled = journal.closes.length + 1
    await until(() => journal.closes.length === settled)
  }
  const [chat, messages] = journal.closes
  assert.equal(messages?.outcome, 'client_closed')
  assert.deepEqual(messages?.attempts[0]?.usage, chat?.attempts[0]?.usage)
  assert.deepEqual(messages?.attempts[0]?.usage.output_visible, { tokens: 3, source: 'counted' })
  await until(() => up.cut.length === 2)
})

test('thinking in the words that the engine takes', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, delta('hi'), finish({ usage }), done))
  const engines = [
    { url: up.url, models: { hosted: 'h' } },
    { url: up.url, models: { template: 'v' }, product: 'vllm' },
  ]
  const { post } = await bench(t, { engines })
  const enabled = { max_tokens: 9000, thinking: { type: 'enabled', budget_tokens: 8000 } }
  for (const [model, more, expected] of [
    ['hosted', enabled, { reasoning_effort: 'medium' }],
    ['hosted', { output_config: { effort: 'max' } }, { reasoning_effort: 'high' }],
    ['hosted', { thinking: { type: 'disabled' } }, {}],
    [
      'template',
      enabled,
      { thinking_token_budget: 8000, chat_template_kwargs: { enable_thinking: true, thinking: true } },
    ],
    [
      'template',
      { thinking: { type: 'adaptive' } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
    ],
    [
      'template',
      { thinking: { type: 'disabled' } },
      { chat_template_kwargs: { enable_thinking: false, thinking: false } },
    ],
  ] as const) {
    assert.equal((await post(path, body({ model, stream: true, ...more }))).status, 200)
    const { reasoning_effort, thinking_token_budget, chat_template_kwargs, thinking } = up.seen.at(-1)?.body ?? {}
    const said = { reasoning_effort, thinking_token_budget, chat_template_kwargs, thinking }
    assert.deepEqual(parsed(JSON.stringify(said)), expected)
  }
})

test('the size of a prompt is estimated where nobody can count it, and said to be', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end('{}'))
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const { status, json } = await post(`${path}/count_tokens`, { ...body(), max_tokens: undefined })
  assert.equal(status, 200)
  assert.equal(json.wattmill.source, 'estimated')
  assert(json.input_tokens > 0)
  assert.deepEqual([up.seen.length, journal.rows.length], [0, 0])
  const refused = await post(`${path}/count_tokens`, { model: 'm', messages: 'hi' })
  assert.deepEqual([refused.status, refused.json.error.details.param], [400, 'messages'])
})

test('models in the shape of whoever asks', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end('{}'))
  const { url } = await bench(t, { engines: [{ url: up.url }] })
  const get = async (where: string) =>
    parsed(
      await (
        await fetch(`${url}${where}`, { headers: { 'x-api-key': testKey, 'anthropic-version': '2023-06-01' } })
      ).text(),
    )
  const list = await get('/v1/models')
  assert.deepEqual(
    [list.first_id, list.has_more, list.data[0].type, list.data[0].display_name],
    ['m', false, 'model', 'm'],
  )
  assert.equal((await get('/v1/models/m')).id, 'm')
  assert.equal((await get('/v1/models/other')).error.type, 'not_found_error')
})
