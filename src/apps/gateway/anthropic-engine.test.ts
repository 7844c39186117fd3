import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, chatBody, delta, done, eventsOf, fakeUpstream, finish, stream, testKey, until } from './testing.ts'

/**
 * Engines with Anthropic's API under both surfaces. The upstreams are synthetic: they answer as docs.anthropic.com
 * ("Messages", "Streaming messages", "Errors", "Token counting") says that the service does.
 */
const event = (data: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const inputUsage = { input_tokens: 8, cache_creation_input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 1 }
const start = event({
  type: 'message_start',
  message: {
    id: 'msg_up',
    type: 'message',
    role: 'assistant',
    model: 'upstream-m',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: inputUsage,
  },
})
const block = (index: number, content_block: object, ...deltas: object[]): string =>
  event({ type: 'content_block_start', index, content_block }) +
  deltas.map((one) => event({ type: 'content_block_delta', index, delta: one })).join('') +
  event({ type: 'content_block_stop', index })
const thought = block(
  0,
  { type: 'thinking', thinking: '', signature: '' },
  { type: 'thinking_delta', thinking: 'hm' },
  { type: 'signature_delta', signature: 'sig' },
)
const text = block(
  1,
  { type: 'text', text: '' },
  { type: 'text_delta', text: 'Hel' },
  { type: 'text_delta', text: 'lo' },
)
const use = block(
  2,
  { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
  { type: 'input_json_delta', partial_json: '{"a":1}' },
)
const end = event({
  type: 'message_delta',
  delta: { stop_reason: 'tool_use', stop_sequence: null },
  usage: { output_tokens: 9, output_tokens_details: { thinking_tokens: 2 } },
})
const whole = start + event({ type: 'ping' }) + thought + text + use + end + event({ type: 'message_stop' })

const tools = [{ name: 'f', input_schema: { type: 'object' } }]
const messages = (more: object = {}): object => ({
  model: 'm',
  max_tokens: 50,
  tools,
  messages: [{ role: 'user', content: 'hello there' }],
  ...more,
})
const chatTools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
const vendor = 'anthropic' as const

const booked = { input_uncached: 8, cache_read: 4, cache_write: 3, output_visible: 7, reasoning: 2 }
const counts = (usage: object | undefined) =>
  Object.fromEntries(
    Object.entries(usage ?? {}).map(([of, count]) => [of, (count as { tokens: number } | null)?.tokens ?? null]),
  )

test('messages pass through, unknown fields and signatures too; usage is what is booked', async (t) => {
  process.env.WM_TEST_ANTHROPIC = 'sk-ant-canary'
  t.after(() => delete process.env.WM_TEST_ANTHROPIC)
  const up = await fakeUpstream(t, (response) => stream(response, whole))
  const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor, key_from: 'env:WM_TEST_ANTHROPIC' }] })
  const asked = messages({
    stream: true,
    container: 'c',
    system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
  })
  const reply = await post('/v1/messages', asked, { 'anthropic-beta': 'files-api-2025-04-14' })
  assert.equal(reply.status, 200)
  const events = eventsOf(reply.text)
  assert.equal(events[0].message.id, `msg_${reply.headers.get('x-request-id')}`)
  assert.deepEqual([events[0].message.model, events[0].message.usage.input_tokens], ['m', 8])
  assert(reply.text.includes('"signature":"sig"'))
  const last = events.at(-2)
  assert.deepEqual([last.type, last.delta.stop_reason], ['message_delta', 'tool_use'])
  assert.deepEqual(
    [last.usage.input_tokens, last.usage.output_tokens, last.usage.output_tokens_details],
    [8, 9, { thinking_tokens: 2 }],
  )
  assert.equal(reply.text.match(/^event: message_stop$/gm)?.length, 1)
  assert.deepEqual(counts(journal.closes[0]?.attempts[0]?.usage), booked)
  assert.equal(journal.closes[0]?.attempts[0]?.usage.reasoning?.source, 'provider')

  const seen = up.seen[0]
  assert.deepEqual(seen?.body, { ...asked, model: 'upstream-m' })
  assert.equal(seen?.path, '/v1/messages')
  const {
    authorization,
    'anthropic-version': version,
    'anthropic-beta': beta,
    'x-api-key': client,
  } = seen?.headers ?? {}
  assert.deepEqual(
    [authorization, version, beta, client],
    ['Bearer sk-ant-canary', '2023-06-01', 'files-api-2025-04-14', undefined],
  )
  assert(!JSON.stringify([seen?.headers, reply.text]).includes(testKey))
})

test('a chat on it, streamed: thoughts, text, calls, finish reason and usage in chunks', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, whole))
  const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor }] })
  const { status, text } = await post(
    '/v1/chat/completions',
    chatBody({ stream: true, stream_options: { include_usage: true }, tools: chatTools }),
  )
  assert.equal(status, 200)
  const events = eventsOf(text)
  assert.equal(events.at(-1), '[DONE]')
  const chunks = events.slice(0, -1)
  assert(chunks.every((chunk) => chunk.object === 'chat.completion.chunk' && chunk.model === 'm'))
  const deltas = chunks.flatMap((chunk) => chunk.choices).map(({ delta }) => delta)
  const joined = (field: string) => deltas.map((one) => one[field] ?? '').join('')
  assert.deepEqual([joined('content'), joined('reasoning_content')], ['Hello', 'hm'])
  const calls = deltas.flatMap((one) => one.tool_calls ?? [])
  assert.deepEqual([calls[0].id, calls[0].index, calls[0].function.name], ['toolu_1', 0, 'f'])
  assert.equal(calls.map((call) => call.function.arguments).join(''), '{"a":1}')
  assert.equal(chunks.at(-2).choices[0].finish_reason, 'tool_calls')
  const { usage } = chunks.at(-1)
  assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [15, 9])
  assert.deepEqual(
    [usage.prompt_tokens_details.cached_tokens, usage.completion_tokens_details.reasoning_tokens],
    [4, 2],
  )
  assert.deepEqual(counts(journal.closes[0]?.attempts[0]?.usage), booked)
  const sent = up.seen[0]?.body
  assert.deepEqual([sent.max_tokens, sent.tools], [8192, tools])
})

test('both surfaces in one piece: the same books', async (t) => {
  const up = await fakeUpstream(t, (response) => {
    response.setHeader('content-type', 'application/json')
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 'sig' },
      { type: 'text', text: 'Hello' },
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } },
    ]
    const usage = { ...inputUsage, output_tokens: 9, output_tokens_details: { thinking_tokens: 2 } }
    const message = {
      id: 'msg_up',
      type: 'message',
      role: 'assistant',
      model: 'upstream-m',
      content,
      stop_reason: 'tool_use',
      usage,
    }
    response.end(JSON.stringify({ ...message, new_field: 1 }))
  })
  const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor }] })
  const native = await post('/v1/messages', messages())
  assert.deepEqual([native.json.content[0].signature, native.json.new_field, native.json.model], ['sig', 1, 'm'])
  const chat = await post('/v1/chat/completions', chatBody({ tools: chatTools }))
  assert.equal(chat.json.object, 'chat.completion')
  assert.deepEqual(chat.json.choices[0].message, {
    role: 'assistant',
    content: 'Hello',
    refusal: null,
    reasoning_content: 'hm',
    tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
  })
  assert.deepEqual([chat.json.usage.prompt_tokens, chat.json.usage.completion_tokens], [15, 9])
  assert.deepEqual(
    journal.closes.map(({ attempts }) => counts(attempts[0]?.usage)),
    [booked, booked],
  )
})

test('a model on engines of both kinds: busy at one, answered by the other, whoever asks', async (t) => {
  const busy = await fakeUpstream(t, (response) =>
    response.writeHead(529).end('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'),
  )
  const free = await fakeUpstream(t, (response) =>
    stream(response, delta('hi'), finish({ usage: { prompt_tokens: 3, completion_tokens: 1 } }), done),
  )
  const { post, journal } = await bench(t, { engines: [{ url: busy.url, vendor }, { url: free.url }] })
  for (const ask of ['/v1/messages', '/v1/chat/completions', '/v1/messages', '/v1/chat/completions']) {
    const { status, text } = await post(
      ask,
      ask === '/v1/messages' ? messages({ stream: true }) : chatBody({ stream: true }),
    )
    assert.equal(status, 200)
    assert.match(text, /hi/)
  }
  assert(journal.closes.some(({ attempts }) => attempts.map(({ replica }) => replica).join() === 'engine-1,engine-2'))
})

test('loss in the midst of a stream: an error event, and nothing billed', async (t) => {
  const cases = [
    ['ends without a stop reason', start + text, 'stream_truncated', 'truncated'],
    [
      'sends an error',
      start + text + event({ type: 'error', error: { type: 'api_error', message: 'stack trace' } }),
      'engine_failed',
      'upstream_error',
    ],
    ['sends what is no event', `${start + text}data: <html>\n\n`, 'engine_bad_reply', 'upstream_error'],
  ] as const
  for (const [name, sent, code, outcome] of cases)
    await t.test(name, async (t) => {
      const up = await fakeUpstream(t, (response) => stream(response, sent))
      const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor }] })
      const reply = await post('/v1/messages', messages({ stream: true }))
      const last = eventsOf(reply.text).at(-1)
      assert.deepEqual([last.type, last.error.details.error_code], ['error', code])
      assert(!reply.text.includes('stack trace'))
      assert.equal(journal.closes[0]?.outcome, outcome)
      // What the engine made is waste, and known: its input as it said, its output as it passed.
      assert.deepEqual(counts(journal.closes[0]?.attempts[0]?.usage), { ...booked, output_visible: 2, reasoning: null })
    })
})

test('who leaves is billed for the input as it was told and the output that passed', async (t) => {
  const up = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(start + text)
  })
  const { url, journal } = await bench(t, { engines: [{ url: up.url, vendor }] })
  const leave = new AbortController()
  const reply = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    signal: leave.signal,
    headers: { 'content-type': 'application/json', 'x-api-key': testKey },
    body: JSON.stringify(messages({ stream: true })),
  })
  await reply.body?.getReader().read()
  leave.abort()
  await until(() => journal.closes.length === 1)
  assert.equal(journal.closes[0]?.outcome, 'client_closed')
  assert.deepEqual(counts(journal.closes[0]?.attempts[0]?.usage), { ...booked, output_visible: 2, reasoning: null })
  await until(() => up.cut.length === 1)
})

test('errors of the engine before content are statuses; its reason is told where the client can act on it', async (t) => {
  const error = (type: string, message: string) => JSON.stringify({ type: 'error', error: { type, message } })
  const cases: readonly (readonly [number, string, number, string, RegExp])[] = [
    [
      400,
      error('invalid_request_error', 'temperature: not for this model'),
      400,
      'engine_refused',
      /not for this model/,
    ],
    [
      400,
      error('invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum'),
      400,
      'context_length_exceeded',
      /too long/,
    ],
    [
      401,
      error('authentication_error', 'invalid sk-ant-secret'),
      502,
      'engine_bad_reply',
      /engines add engine-1 --key-from/,
    ],
    [404, error('not_found_error', 'model: x'), 404, 'model_not_found', /404/],
    [500, error('api_error', 'secret'), 502, 'engine_failed', /answered 500/],
  ]
  let turn: (typeof cases)[number] | undefined
  const up = await fakeUpstream(t, (response) => response.writeHead(turn?.[0] ?? 500).end(turn?.[1]))
  const { post } = await bench(t, { engines: [{ url: up.url, vendor }] })
  for (const stream of [true, false])
    for (turn of cases) {
      const native = await post('/v1/messages', messages({ stream }))
      const chat = await post('/v1/chat/completions', chatBody({ stream }))
      assert.deepEqual([native.status, native.json.error.details.error_code], [turn[2], turn[3]])
      assert.deepEqual([chat.status, chat.json.error.code], [turn[2], turn[3]])
      assert.match(native.json.error.message, turn[4])
      assert(!/secret/.test(native.text + chat.text))
    }
})

test('what it cannot do is refused before it is asked', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end('{}'))
  const { post } = await bench(t, { engines: [{ url: up.url, vendor }] })
  const text = await post('/v1/completions', { model: 'm', prompt: 'x' })
  const many = await post('/v1/chat/completions', chatBody({ n: 2 }))
  const search = await post('/v1/messages', messages({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }))
  assert.deepEqual([text.json.error.code, many.json.error.code], ['unsupported_parameter', 'unsupported_parameter'])
  assert.equal(search.json.error.details.error_code, 'unsupported_parameter')
  assert.equal(up.seen.length, 0)
})

test('thoughts without a signature, of an answer from elsewhere, do not go to an engine that would refuse them', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, whole))
  const { post } = await bench(t, { engines: [{ url: up.url, vendor }] })
  const user = { role: 'user', content: 'go on' }
  const said = (signature: string) => [
    { type: 'thinking', thinking: 'hm', signature },
    { type: 'text', text: 'Yes.' },
  ]
  const turns = [
    user,
    { role: 'assistant', content: said('') },
    user,
    { role: 'assistant', content: said('sig') },
    user,
  ]
  assert.equal((await post('/v1/messages', messages({ stream: true, messages: turns }))).status, 200)
  const sent = up.seen[0]?.body.messages
  assert.deepEqual(sent[1].content, [{ type: 'text', text: 'Yes.' }])
  assert.deepEqual(sent[3].content, said('sig'))
})

test('the size of a prompt is asked of the provider, and nothing is booked', async (t) => {
  let answer = '{"input_tokens": 42}'
  const up = await fakeUpstream(t, (response) => void response.end(answer))
  const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor }] })
  const { json } = await post('/v1/messages/count_tokens', messages({ system: 's' }))
  assert.deepEqual([json.input_tokens, json.wattmill.source], [42, 'provider'])
  const seen = up.seen[0]
  assert.equal(seen?.path, '/v1/messages/count_tokens')
  assert.deepEqual(Object.keys(seen?.body).sort(), ['messages', 'model', 'system', 'tools'])
  answer = '{"input_tokens": "many"}'
  const odd = await post('/v1/messages/count_tokens', messages())
  assert.deepEqual([odd.status, odd.json.error.details.error_code], [502, 'engine_bad_reply'])
  assert.equal(journal.rows.length, 0)
})
