import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { bench, chatBody, chunkOf, delta, done, eventsOf, fakeUpstream, finish, stream, until } from './testing.ts'

const usage = {
  prompt_tokens: 12,
  completion_tokens: 5,
  total_tokens: 17,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 2 },
}
const role = chunkOf({ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null })

test('a stream passes through with our id and model; usage only for who asked', async (t) => {
  const up = await fakeUpstream(t, (response) =>
    stream(
      response,
      role,
      delta('Hel', { system_fingerprint: 'fp', usage: null }),
      delta('lo'),
      finish(),
      chunkOf(undefined, { usage }),
      done,
    ),
  )
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const plain = await post('/v1/chat/completions', chatBody({ stream: true, seed: 4, my_field: { a: 1 } }), {
    'x-client-secret': 'no',
  })
  assert.equal(plain.status, 200)
  assert.match(plain.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(plain.headers.get('cache-control'), 'no-cache, no-transform')
  assert.equal(plain.headers.get('x-accel-buffering'), 'no')
  const rid = plain.headers.get('x-request-id')
  assert.equal(plain.headers.get('request-id'), rid)
  assert.equal(plain.headers.get('x-wattmill-replica'), 'engine-1')
  const events = eventsOf(plain.text)
  assert.equal(events.at(-1), '[DONE]')
  assert.deepEqual(
    events
      .slice(0, -1)
      .map(({ id, model, choices }) => [id, model, choices[0].delta.content, choices[0].finish_reason]),
    [
      [`chatcmpl-${rid}`, 'm', '', null],
      [`chatcmpl-${rid}`, 'm', 'Hel', null],
      [`chatcmpl-${rid}`, 'm', 'lo', null],
      [`chatcmpl-${rid}`, 'm', undefined, 'stop'],
    ],
  )
  assert.equal(events[1].system_fingerprint, 'fp')
  assert(!plain.text.includes('usage'))

  const sent = up.seen[0]
  assert.equal(sent?.path, '/v1/chat/completions')
  assert.equal(sent?.body.model, 'upstream-m')
  assert.deepEqual(sent?.body.stream_options, { include_usage: true })
  assert.deepEqual(sent?.body.my_field, { a: 1 })
  assert.deepEqual(
    Object.keys(sent?.headers ?? {}).sort(),
    ['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host', 'user-agent', 'x-request-id'],
    'headers come from a list; the credential of the client is not among them',
  )

  const asked = await post('/v1/chat/completions', chatBody({ stream: true, stream_options: { include_usage: true } }))
  const last = eventsOf(asked.text).at(-2)
  assert.deepEqual(last.choices, [])
  assert.deepEqual(last.usage, usage)
  assert.deepEqual(last.wattmill, {
    receipt: asked.headers.get('x-request-id'),
    cost_usd: '0.00000094', // 4 × 0.05 + 8 × 0.005 + 3 × 0.1 + 2 × 0.2 dollars per million
    price_version: 3,
    energy_mj: null,
  })
  assert(
    eventsOf(asked.text)
      .slice(0, -2)
      .every((event) => event.usage === null),
  )
  assert.deepEqual(
    journal.rows.map((row) => row.kind),
    ['open', 'close', 'open', 'close'],
  )
})

test('streamed or not: the same usage, the same price', async (t) => {
  const up = await fakeUpstream(t, (response, { body }) => {
    if (body.stream) return stream(response, role, delta('Hi'), finish({ usage }), done)
    assert.equal(body.stream_options, undefined)
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Hi', extra: 1 }, finish_reason: 'stop' }]
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ id: 'up', object: 'chat.completion', created: 7, model: 'upstream-m', choices, usage, x: 1 }),
    )
  })
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const streamed = await post(
    '/v1/chat/completions',
    chatBody({ stream: true, stream_options: { include_usage: true } }),
  )
  const whole = await post('/v1/chat/completions', chatBody({ stream_options: { include_usage: true } }))
  assert.equal(whole.status, 200)
  assert.equal(whole.json.id, `chatcmpl-${whole.headers.get('x-request-id')}`)
  assert.equal(whole.json.model, 'm')
  assert.equal(whole.json.x, 1)
  assert.equal(whole.json.choices[0].message.extra, 1)
  const told = eventsOf(streamed.text).at(-2)
  assert.deepEqual(whole.json.usage, told.usage)
  assert.equal(whole.headers.get('x-wattmill-cost-usd'), told.wattmill.cost_usd)
  assert.deepEqual(journal.closes[0]?.attempts, journal.closes[1]?.attempts)
})

test('completions: the other dialect, the same line', async (t) => {
  const up = await fakeUpstream(t, (response) =>
    stream(
      response,
      'data: {"id":"c","object":"text_completion","model":"upstream-m","choices":[{"index":0,"text":"one","finish_reason":null}]}\n\n',
      'data: {"choices":[{"index":0,"text":" two","finish_reason":"length"}]}\n\n',
      done,
    ),
  )
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const { text, headers } = await post('/v1/completions', { model: 'm', prompt: 'count', stream: true })
  const [first, second, end] = eventsOf(text)
  assert.equal(first.id, `cmpl-${headers.get('x-request-id')}`)
  assert.equal(first.choices[0].text + second.choices[0].text, 'one two')
  assert.equal(end, '[DONE]')
  assert.equal(up.seen[0]?.path, '/v1/completions')
  assert.deepEqual(journal.closes[0]?.attempts[0]?.usage.output_visible, { tokens: 2, source: 'counted' })
  assert.equal(journal.closes[0]?.attempts[0]?.usage.input_uncached?.source, 'estimated')
})

test('content waits for the open row, the end for the close row', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, delta('x'), finish(), done))
  const { url, journal, post } = await bench(t, { engines: [{ url: up.url }] })
  await post('/v1/chat/completions', chatBody())
  journal.delayMs = 150
  const begun = performance.now()
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'api-key': 'wm-test-canary-0123456789' },
    body: JSON.stringify(chatBody({ stream: true })),
  })
  assert(performance.now() - begun >= 140, 'nothing leaves before the open row is durable')
  const text = await response.text()
  assert(text.endsWith(done))
  assert.equal(journal.closes.length, 2)
})

test('pain 3, a disconnect gives free tokens: a client that leaves at any chunk is settled once, as client_closed', async (t) => {
  for (let leaveAt = 0; leaveAt <= 4; leaveAt++)
    await t.test(`after ${leaveAt} chunks`, async (t) => {
      const up = await fakeUpstream(t, async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        for (let at = 0; at < 4 && !response.destroyed; at++) {
          response.write(delta(`piece${at} `))
          await new Promise((next) => setTimeout(next, 30))
        }
      })
      const { url, journal } = await bench(t, { engines: [{ url: up.url }] })
      const leave = new AbortController()
      const asking = fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': 'wm-test-canary-0123456789' },
        body: JSON.stringify(chatBody({ stream: true })),
        signal: leave.signal,
      })
      if (leaveAt === 0) {
        asking.catch(() => undefined)
        await until(() => up.seen.length === 1)
      } else {
        const reader = (await asking).body?.getReader()
        let got = ''
        while (!got.includes(`piece${leaveAt - 1}`)) got += new TextDecoder().decode((await reader?.read())?.value)
      }
      leave.abort()
      await until(() => journal.closes.length > 0)
      await until(() => up.cut.length === 1)
      await new Promise((next) => setTimeout(next, 50))
      const [row, more] = journal.closes
      assert.equal(more, undefined)
      assert.equal(row?.outcome, 'client_closed')
      const made = row?.attempts[0]?.usage.output_visible?.tokens ?? 0
      assert(made >= leaveAt && made <= leaveAt + 1, `${made} chunks had passed`)
    })
})

test('pain 8, memory leaks: a slow reader: the upstream is paused, and the memory held is bounded', async (t) => {
  const big = 'x'.repeat(64 * 1024)
  let sent = 0
  const up = await fakeUpstream(t, async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (; sent < 400 && !response.destroyed; sent++)
      if (!response.write(delta(big))) await once(response, 'drain').catch(() => undefined)
    response.end(finish() + done)
  })
  const { url, journal } = await bench(t, { engines: [{ url: up.url }] })
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer wm-test-canary-0123456789' },
    body: JSON.stringify(chatBody({ stream: true })),
  })
  const reader = response.body?.getReader()
  await reader?.read()
  await new Promise((next) => setTimeout(next, 400))
  const before = sent
  await new Promise((next) => setTimeout(next, 300))
  assert.equal(sent, before, 'the upstream stands still')
  assert(before < 400, 'and has not been read to its end')
  let bytes = 0
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) break
    bytes += part.value.length
  }
  assert(bytes > 399 * big.length, 'when the reader goes on, nothing is missing')
  assert.equal(journal.closes[0]?.outcome, 'complete')
})

test('reasoning passes through under either name, told in the words of the engine, and is billed as its own class', async (t) => {
  const up = await fakeUpstream(t, (response) =>
    stream(
      response,
      role,
      chunkOf({ index: 0, delta: { reasoning_content: 'let me' }, finish_reason: null }),
      chunkOf({ index: 0, delta: { reasoning: ' see' }, finish_reason: null }),
      delta('42'),
      finish(),
      chunkOf(undefined, { usage }),
      done,
    ),
  )
  const { post, journal } = await bench(t, { engines: [{ url: up.url, product: 'vllm' }] })
  const asked = await post('/v1/chat/completions', chatBody({ stream: true, reasoning_effort: 'low' }))
  const deltas = eventsOf(asked.text)
    .slice(0, -1)
    .map(({ choices }) => choices[0].delta)
  assert.equal(deltas[1].reasoning_content, 'let me')
  assert.equal(deltas[2].reasoning, ' see')
  assert.equal(up.seen[0]?.body.reasoning_effort, 'low')
  assert.equal(up.seen[0]?.body.chat_template_kwargs.enable_thinking, true)
  const { reasoning, output_visible } = journal.closes[0]?.attempts[0]?.usage ?? {}
  assert.deepEqual([reasoning?.tokens, output_visible?.tokens], [2, 3])

  await post('/v1/responses', { model: 'm', input: 'q', stream: true, reasoning: { effort: 'none' } })
  assert.equal(up.seen[1]?.body.reasoning_effort, undefined)
  assert.equal(up.seen[1]?.body.chat_template_kwargs.enable_thinking, false)
})
