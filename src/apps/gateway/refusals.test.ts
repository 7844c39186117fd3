import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { httpServer } from '../../adapters/http/server.ts'
import { bench, chatBody, fakeUpstream, parsed, testKey } from './testing.ts'

/** Sends raw bytes and hears all that comes back until the socket closes, or nothing more comes for a while. */
async function raw(port: number, parts: readonly string[], pauseMs = 0, listenMs = 3_000): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.on('data', (bytes) => {
    heard += bytes
  })
  socket.on('error', () => undefined)
  const closed = new Promise((done) => socket.on('close', done))
  for (const part of parts) {
    if (!socket.destroyed) socket.write(part)
    if (pauseMs > 0) await sleep(pauseMs)
  }
  await Promise.race([closed, sleep(listenMs, undefined, { ref: false })])
  socket.destroy()
  return heard
}

const head = (more: string): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testKey}\r\ncontent-type: application/json\r\n${more}\r\n`

const errorIn = (answer: string): { status: number; code: string; ids: boolean } => ({
  status: Number(answer.slice(9, 12)),
  code: parsed(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error.code,
  ids: /\r\nx-request-id: g0/i.test(answer) && /\r\nrequest-id: g0/i.test(answer),
})

test('every wrong body has its code, its parameter and its status', async (t) => {
  const { post, journal } = await bench(t, { engines: [{ url: 'http://127.0.0.1:1/v1' }] })
  const chat = (more: object) => chatBody(more)
  const cases: readonly (readonly [unknown, number, string, string | null])[] = [
    ['{"model": ', 400, 'invalid_json', null],
    ['', 400, 'invalid_json', null],
    ['[1]', 400, 'invalid_json', null],
    ['"text"', 400, 'invalid_json', null],
    [`{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'invalid_json', null],
    [`{"a":${'['.repeat(30_000)}`, 400, 'invalid_json', null],
    [{ messages: [] }, 400, 'invalid_value', 'model'],
    [chat({ model: 7 }), 400, 'invalid_value', 'model'],
    [chat({ model: '' }), 400, 'invalid_value', 'model'],
    [chat({ model: 'other' }), 404, 'model_not_found', 'model'],
    [chat({ model: '__proto__' }), 404, 'model_not_found', 'model'],
    [chat({ model: 'toString' }), 404, 'model_not_found', 'model'],
    [chat({ messages: [] }), 400, 'invalid_value', 'messages'],
    [chat({ messages: 'hi' }), 400, 'invalid_value', 'messages'],
    [chat({ messages: [null] }), 400, 'invalid_value', 'messages[0]'],
    [chat({ messages: [{ content: 'x' }] }), 400, 'invalid_value', 'messages[0].role'],
    [chat({ messages: [{ role: 'user' }] }), 400, 'invalid_value', 'messages[0].content'],
    [chat({ messages: [{ role: 'user', content: 4 }] }), 400, 'invalid_value', 'messages[0].content'],
    [
      chat({ messages: [{ role: 'user', content: [{ type: 'text' }] }] }),
      400,
      'invalid_value',
      'messages[0].content[0]',
    ],
    [chat({ temperature: 'hot' }), 400, 'invalid_value', 'temperature'],
    [chat({ temperature: 2.1 }), 400, 'invalid_value', 'temperature'],
    [chat({ top_p: -1 }), 400, 'invalid_value', 'top_p'],
    [chat({ max_tokens: 0 }), 400, 'invalid_value', 'max_tokens'],
    [chat({ max_tokens: 1.5 }), 400, 'invalid_value', 'max_tokens'],
    [chat({ max_completion_tokens: '9' }), 400, 'invalid_value', 'max_completion_tokens'],
    [chat({ stream: 'yes' }), 400, 'invalid_value', 'stream'],
    [chat({ stream_options: true }), 400, 'invalid_value', 'stream_options'],
    [chat({ stream_options: { include_usage: 1 } }), 400, 'invalid_value', 'stream_options.include_usage'],
    [chat({ stop: Array(17).fill('x') }), 400, 'invalid_value', 'stop'],
    [chat({ stop: '' }), 400, 'invalid_value', 'stop'],
    [chat({ n: 0 }), 400, 'invalid_value', 'n'],
    [chat({ tools: {} }), 400, 'invalid_value', 'tools'],
  ]
  for (const [body, status, code, param] of cases) {
    const reply = await post('/v1/chat/completions', body)
    assert.deepEqual([reply.status, reply.json.error.code, reply.json.error.param], [status, code, param], String(body))
    assert.equal(reply.headers.get('x-request-id'), reply.headers.get('request-id'))
    assert(reply.json.error.message.includes(reply.headers.get('x-request-id')))
    assert.equal(reply.headers.get('x-should-retry'), 'false')
  }
  const prompt = await post('/v1/completions', { model: 'm', prompt: [{}] })
  assert.equal(prompt.json.error.param, 'prompt')
  const binary = await fetch((await bench(t)).url, { method: 'GET' })
  assert.equal(binary.status, 503, 'the console is the operator’s, and it is down')
  assert.equal(journal.rows.length, 0)
})

test('what the embedded engine cannot do is refused, not ignored', async (t) => {
  const { post } = await bench(t, {
    engines: [{ vendor: 'llama' }],
    host: { generate: () => assert.fail(), cancel: () => undefined },
  })
  const format = (schema: object) => ({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } })
  const tool = (parameters: object, more = {}) => ({ type: 'function', function: { name: 'f', parameters, ...more } })
  const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }]
  const cases: readonly (readonly [object, string])[] = [
    [{ n: 2 }, 'n'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [tool({ not: {} })], tool_choice: 'required' }, 'tools[0].function.parameters.not'],
    [{ tools: [tool({ not: {} }, { strict: true })] }, 'tools[0].function.parameters.not'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [format({ type: 'array', items: { not: {} } }), 'response_format.json_schema.schema.items.not'],
    [{ messages: image }, 'messages[0].content[0]'],
  ]
  for (const [more, param] of cases) {
    const { status, json } = await post('/v1/chat/completions', chatBody(more))
    assert.deepEqual([status, json.error.code, json.error.param], [400, 'unsupported_parameter', param])
  }
  const wrong: readonly (readonly [object, string])[] = [
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
    [{ logprobs: 3 }, 'logprobs'],
    [{ tools: [tool({})], parallel_tool_calls: 1 }, 'parallel_tool_calls'],
    [{ response_format: { type: 'xml' } }, 'response_format.type'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    [{ logit_bias: { 5: 101 } }, 'logit_bias'],
    [{ logit_bias: { five: 1 } }, 'logit_bias'],
    [{ logit_bias: [1] }, 'logit_bias'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].function.name'],
    [{ tools: [tool({})], tool_choice: 'sometimes' }, 'tool_choice'],
    [{ tools: [tool({})], tool_choice: { type: 'function', function: { name: 'g' } } }, 'tool_choice'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tools: Array(129).fill(tool({})) }, 'tools'],
    [{ messages: [{ role: 'assistant', content: null, tool_calls: [{ id: 'x' }] }] }, 'messages[0].tool_calls'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  ]
  for (const [more, param] of wrong) {
    const { status, json } = await post('/v1/chat/completions', chatBody(more))
    assert.deepEqual([status, json.error.code, json.error.param], [400, 'invalid_value', param])
  }
  for (const [more, param] of [
    [{ echo: true }, 'echo'],
    [{ suffix: 'x' }, 'suffix'],
    [{ best_of: 2 }, 'best_of'],
    [{ prompt: [1, 2] }, 'prompt'],
    [{ prompt: ['a', 'b'] }, 'prompt'],
  ] as const) {
    const { json } = await post('/v1/completions', { model: 'm', prompt: 'x', ...more })
    assert.deepEqual([json.error.code, json.error.param], ['unsupported_parameter', param])
  }
})

test('keys: three places to send them, and what is wrong with others', async (t) => {
  const { post, url } = await bench(t, {
    engines: [{ url: 'http://127.0.0.1:1/v1' }],
    grant: { models: ['m', 'gone'] },
  })
  const models = (headers: Record<string, string>) => fetch(`${url}/v1/models`, { headers })
  for (const headers of [{ authorization: `bearer ${testKey}` }, { 'x-api-key': testKey }, { 'api-key': testKey }]) {
    const reply = await models(headers as Record<string, string>)
    assert.equal(reply.status, 200)
    assert.deepEqual(
      parsed(await reply.text()).data.map((model: { id: string }) => model.id),
      ['m'],
    )
  }
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${testKey}` }]) {
    const reply = await post('/v1/chat/completions', chatBody(), { authorization: '', ...headers })
    assert.deepEqual([reply.status, reply.json.error.code], [401, 'invalid_api_key'])
  }
  assert.equal((await fetch(`${url}/v1/models/m`, { headers: { 'api-key': testKey } })).status, 200)
  assert.equal((await fetch(`${url}/v1/models/x%2Fy`, { headers: { 'api-key': testKey } })).status, 404)
  const other = await post('/v1/chat/completions', chatBody({ model: 'x' }))
  assert.deepEqual([other.status, other.json.error.code], [403, 'model_not_allowed'])
  const old = await bench(t, { engines: [{ url: 'http://127.0.0.1:1/v1' }], grant: { expires_ms: Date.now() - 1 } })
  assert.equal((await old.post('/v1/chat/completions', chatBody())).json.error.code, 'expired_api_key')
})

test('routes and methods', async (t) => {
  const { url } = await bench(t)
  const at = async (method: string, path: string) => {
    const reply = await fetch(url + path, { method })
    const body = parsed((await reply.text()) || '{}')
    return [reply.status, body.error?.code, reply.headers.get('allow')]
  }
  assert.deepEqual(await at('GET', '/v1/nothing'), [404, 'route_not_found', null])
  assert.deepEqual(await at('GET', '/v1/chat/completions'), [405, 'method_not_allowed', 'POST'])
  assert.deepEqual(await at('DELETE', '/v1/models'), [405, 'method_not_allowed', 'GET, HEAD'])
  assert.deepEqual(await at('GET', '/api/status'), [503, 'operator_unavailable', null])
  assert.deepEqual(await at('POST', '/internal/sync'), [404, 'route_not_found', null])
  assert.deepEqual(await at('GET', '/api/%2e%2e/internal/sync'), [404, 'route_not_found', null])
  assert.deepEqual((await at('GET', '/livez')).slice(0, 2), [200, undefined])
})

test('over the wire: what is too large, too slow or not HTTP', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end())
  const { port } = await bench(t, { engines: [{ url: up.url }] })
  const long = await raw(port, [head('content-length: 900000\r\n')])
  assert.deepEqual(errorIn(long), { status: 413, code: 'body_too_large', ids: true })
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  const counted = await raw(port, [head('transfer-encoding: chunked\r\n'), chunk, chunk, chunk, chunk, chunk], 5)
  assert.deepEqual(errorIn(counted), { status: 413, code: 'body_too_large', ids: true })
  const headers = await raw(port, [head(`x-long: ${'x'.repeat(17 * 1024)}\r\n`)])
  assert.deepEqual(errorIn(headers), { status: 431, code: 'header_too_large', ids: true })
  const noise = await raw(port, ['\x16\x03\x01 hello\r\n\r\n'])
  assert.deepEqual(errorIn(noise), { status: 400, code: 'invalid_value', ids: true })
  const both = await raw(port, [head('content-length: 2\r\ntransfer-encoding: chunked\r\n'), '0\r\n\r\n'])
  assert.equal(errorIn(both).status, 400, 'two lengths are none')
  const form = await raw(port, [
    head('content-length: 2\r\nconnection: close\r\n').replace('application/json', 'application/x-www-form-urlencoded'),
    '{}',
  ])
  assert.deepEqual(errorIn(form), { status: 415, code: 'unsupported_media_type', ids: true })
  const packed = await raw(port, [head('content-length: 2\r\ncontent-encoding: gzip\r\nconnection: close\r\n'), '{}'])
  assert.equal(errorIn(packed).code, 'unsupported_media_type')
  assert.equal(up.seen.length, 0)
})

test('a client that dribbles its headers is cut', async (t) => {
  const bounds = { maxConnections: 10, requestMs: 1_000, headersMs: 200 }
  const server = httpServer(
    bounds,
    () => 'g0-1',
    (_, response) => response.end(),
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const dribbled = await raw(port, ['GET / HTTP/1.1\r\n', ...Array(10).fill('x: y\r\n')], 50)
  assert.deepEqual(errorIn(dribbled), { status: 408, code: 'body_timeout', ids: true })
  const silent = await raw(port, [])
  assert.deepEqual(errorIn(silent).status, 408)
})
