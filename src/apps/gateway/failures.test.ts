import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  bench,
  chatBody,
  delta,
  done,
  eventsOf,
  fakeUpstream,
  finish,
  snapshotOf,
  stream,
  testKey,
  until,
} from './testing.ts'

const usage = { prompt_tokens: 9, completion_tokens: 1 }

test('a busy replica: the request goes to the other, and both attempts are on the row', async (t) => {
  const busy = await fakeUpstream(t, (response) => response.writeHead(429).end('{"error":{"message":"later"}}'))
  const free = await fakeUpstream(t, (response) => stream(response, delta('hi'), finish({ usage }), done))
  const { post, journal } = await bench(t, { engines: [{ url: busy.url }, { url: free.url }] })
  for (let turn = 0; turn < 2; turn++) {
    const { status, headers } = await post('/v1/chat/completions', chatBody({ stream: true }))
    assert.equal(status, 200)
    assert.equal(headers.get('x-wattmill-replica'), 'engine-2')
  }
  const tries = journal.closes.map(({ attempts }) => attempts.map(({ replica }) => replica))
  assert(tries.some((replicas) => replicas.join() === 'engine-1,engine-2'))
})

test('all replicas busy: 503 with a time to come back', async (t) => {
  const busy = await fakeUpstream(t, (response) => response.writeHead(429).end())
  const { post, journal } = await bench(t, { engines: [{ url: busy.url }] })
  const { status, json, headers } = await post('/v1/chat/completions', chatBody({ stream: true }))
  assert.equal(status, 503)
  assert.equal(json.error.code, 'overloaded')
  assert.equal(headers.get('x-should-retry'), 'true')
  assert.equal(headers.get('retry-after-ms'), '1000')
  assert.equal(headers.get('retry-after'), '1')
  assert.match(json.error.message, new RegExp(headers.get('x-request-id') ?? 'none'))
  assert.equal(journal.closes[0]?.outcome, 'upstream_error')
})

test('pain 11, a stream lost in the middle: a stream that breaks off after content: an error event, no [DONE], not billed', async (t) => {
  const cases: readonly (readonly [string, string, string, (response: Parameters<typeof stream>[0]) => void])[] = [
    ['ends without a finish reason', 'stream_truncated', 'truncated', (response) => stream(response, delta('half'))],
    [
      'is cut',
      'stream_truncated',
      'truncated',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(delta('half'))
        setTimeout(() => response.destroy(), 30)
      },
    ],
    [
      'sends an error',
      'engine_failed',
      'upstream_error',
      (response) =>
        stream(response, delta('half'), 'data: {"error":{"message":"CUDA out of memory at 0x1","code":500}}\n\n'),
    ],
    [
      'sends what is no chunk',
      'engine_bad_reply',
      'upstream_error',
      (response) => stream(response, delta('half'), 'data: <html>\n\n'),
    ],
    [
      'stalls',
      'timeout',
      'timeout',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(delta('half'))
      },
    ],
  ]
  for (const [name, code, outcome, answer] of cases)
    await t.test(name, async (t) => {
      const up = await fakeUpstream(t, answer)
      const { post, journal } = await bench(t, { engines: [{ url: up.url }], settings: { stallMs: 200 } })
      const { status, text } = await post('/v1/chat/completions', chatBody({ stream: true }))
      assert.equal(status, 200)
      const events = eventsOf(text)
      assert.equal(events[0].choices[0].delta.content, 'half')
      assert.equal(events.at(-1).error.code, code)
      assert(!text.includes('[DONE]') && !text.includes('CUDA'))
      assert.deepEqual([journal.closes.length, journal.closes[0]?.outcome], [1, outcome])
    })
})

test('a failure before content is a status, for streams too', async (t) => {
  const cases: readonly (readonly [number, string, number, string, RegExp])[] = [
    [400, '{"error":{"message":"bad logit_bias","type":"x"}}', 400, 'engine_refused', /bad logit_bias/],
    [
      400,
      '{"error":{"message":"too long","code":"context_length_exceeded"}}',
      400,
      'context_length_exceeded',
      /too long/,
    ],
    [
      400, // worded like vLLM's
      '{"object":"error","message":"This model\'s maximum context length is 10 tokens. However, you requested 20"}',
      400,
      'context_length_exceeded',
      /maximum context length/,
    ],
    [
      401,
      '{"error":{"message":"Incorrect API key provided: sk-upstream-secret"}}',
      502,
      'engine_bad_reply',
      /engines add engine-1 --key-from/,
    ],
    [404, '{"error":{"message":"nope"}}', 404, 'model_not_found', /404/],
    [500, 'stack trace', 502, 'engine_failed', /answered 500/],
    [503, '', 503, 'overloaded', /busy/],
  ]
  let turn: (typeof cases)[number] | undefined
  const up = await fakeUpstream(t, (response) => response.writeHead(turn?.[0] ?? 500).end(turn?.[1]))
  const { post } = await bench(t, { engines: [{ url: up.url }] })
  for (const stream of [true, false])
    for (turn of cases) {
      const { status, json, text } = await post('/v1/chat/completions', chatBody({ stream }))
      assert.deepEqual([status, json.error.code], [turn[2], turn[3]], turn[1])
      assert.match(json.error.message, turn[4])
      assert(!text.includes('secret') && !text.includes('stack'))
    }
})

test('nobody there: engine_unavailable, also when its address is not to be reached', async (t) => {
  for (const url of ['http://127.0.0.1:1/v1', 'http://169.254.169.254/v1'])
    await t.test(url, async (t) => {
      const { post } = await bench(t, { engines: [{ url }] })
      const { status, json } = await post('/v1/chat/completions', chatBody())
      assert.deepEqual([status, json.error.code], [503, 'engine_unavailable'])
    })
})

test('odd answers to a request that did not stream', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['not json', 'engine_bad_reply'],
    ['{}', 'engine_bad_reply'],
    ['{"error":{"message":"x","code":429}}', 'overloaded'],
  ]
  let turn = ''
  const up = await fakeUpstream(t, (response) => response.end(turn))
  const { post } = await bench(t, { engines: [{ url: up.url }] })
  for (const [answer, code] of cases) {
    turn = answer
    const { json } = await post('/v1/chat/completions', chatBody())
    assert.equal(json.error.code, code, answer)
  }
})

test('the deadline of the whole request', async (t) => {
  const up = await fakeUpstream(t, () => undefined)
  const { post, journal } = await bench(t, { engines: [{ url: up.url }], settings: { requestMs: 150 } })
  const { status, json } = await post('/v1/chat/completions', chatBody())
  assert.deepEqual([status, json.error.code], [504, 'timeout'])
  assert.equal(journal.closes[0]?.outcome, 'timeout')
  await until(() => up.cut.length === 1)
})

test('a journal that cannot be written: nothing new is taken, what runs ends with an error', async (t) => {
  const up = await fakeUpstream(t, async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(delta('one'))
    await sleep(100)
    response.end(finish() + done)
  })
  const { post, journal, url } = await bench(t, { engines: [{ url: up.url }] })
  const running = post('/v1/chat/completions', chatBody({ stream: true }))
  await until(() => journal.rows.length === 1)
  journal.fails = true
  const ended = eventsOf((await running).text)
  assert.equal(ended.at(-1).error.code, 'journal_unavailable')
  assert.equal(journal.kept[0]?.outcome, 'journal_unavailable')

  const unopened = await post('/v1/chat/completions', chatBody({ stream: true }))
  assert.deepEqual([unopened.status, unopened.json.error.code], [503, 'journal_unavailable'])
  assert(!unopened.text.includes('one'), 'no content without a durable open row')

  journal.state = 'down'
  const calls = up.seen.length
  const refused = await post('/v1/chat/completions', chatBody())
  assert.deepEqual([refused.status, refused.json.error.code], [503, 'journal_unavailable'])
  assert.equal(up.seen.length, calls)
  const ready = await fetch(`${url}/readyz`)
  assert.equal(ready.status, 503)
  assert.deepEqual(((await ready.json()) as { waits_for: string[] }).waits_for, ['journal'])
})

test('places are given in the order of coming; a full queue refuses at once', async (t) => {
  const gate = Promise.withResolvers<void>()
  const up = await fakeUpstream(t, async (response, { body }) => {
    await gate.promise
    stream(response, delta(body.messages[0].content), finish(), done)
  })
  const { post, gateway } = await bench(t, { engines: [{ url: up.url, concurrency: 1 }] })
  const order: number[] = []
  const asks: Promise<unknown>[] = []
  for (let at = 0; at < 5; at++) {
    asks.push(
      post('/v1/chat/completions', chatBody({ stream: true, messages: [{ role: 'user', content: String(at) }] })).then(
        (reply) => {
          assert.equal(reply.status, 200)
          order.push(at)
          if (at > 0) assert(Number(reply.headers.get('x-wattmill-queue-ms')) > 0)
        },
      ),
    )
    await until(() => gateway.state.world.running === at + 1)
  }
  const late = await post('/v1/chat/completions', chatBody())
  assert.deepEqual([late.status, late.json.error.code], [503, 'overloaded'])
  gate.resolve()
  await Promise.all(asks)
  assert.deepEqual(order, [0, 1, 2, 3, 4])
})

test('a drain lets streams end, and cuts what lasts too long', async (t) => {
  const up = await fakeUpstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(delta('endless'))
  })
  const { post, gateway, journal } = await bench(t, { engines: [{ url: up.url }] })
  const running = post('/v1/chat/completions', chatBody({ stream: true }))
  await until(() => journal.rows.length === 1)
  const draining = gateway.drain(200)
  const { text } = await running
  assert.equal(eventsOf(text).at(-1).error.code, 'draining')
  assert.equal(journal.closes[0]?.outcome, 'timeout')
  await draining
})

test('limits of the key, in headers and in refusals', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, delta('hi'), finish({ usage }), done))
  const { post } = await bench(t, {
    engines: [{ url: up.url }],
    grant: { requests_per_minute: 2, tokens_per_minute: 1000 },
  })
  const first = await post('/v1/chat/completions', chatBody({ stream: true }))
  assert.equal(first.headers.get('x-ratelimit-limit-requests'), '2')
  assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '1')
  assert.match(first.headers.get('x-ratelimit-reset-requests') ?? '', /^(\d+m)?[\d.]+(ms|s)$/)
  assert.equal(first.headers.get('x-ratelimit-limit-tokens'), '1000')
  await post('/v1/chat/completions', chatBody({ stream: true }))
  const third = await post('/v1/chat/completions', chatBody({ stream: true }))
  assert.deepEqual([third.status, third.json.error.code], [429, 'requests_per_minute'])
  assert(Number(third.headers.get('retry-after-ms')) > 20_000)
  const large = await post(
    '/v1/chat/completions',
    chatBody({ messages: [{ role: 'user', content: 'x'.repeat(9000) }] }),
  )
  assert.equal(large.status, 429)
  assert.equal(large.headers.get('x-should-retry'), large.json.error.code === 'requests_per_minute' ? 'true' : 'false')
})

test('secrets stay where they are', async (t) => {
  process.env.WM_TEST_UPSTREAM = 'sk-upstream-canary'
  t.after(() => delete process.env.WM_TEST_UPSTREAM)
  const up = await fakeUpstream(t, (response) => stream(response, delta('secret answer'), finish(), done))
  const { post, log } = await bench(t, {
    engines: [{ url: up.url, key_from: 'env:WM_TEST_UPSTREAM' }],
    settings: { debug: true },
  })
  const ok = await post('/v1/chat/completions', chatBody({ stream: true }))
  const bad = await post('/v1/chat/completions', chatBody({ temperature: 'hot' }))
  assert.equal(up.seen[0]?.headers.authorization, 'Bearer sk-upstream-canary')
  const shown = JSON.stringify([[...ok.headers], [...bad.headers], bad.text, up.seen[0]?.headers, log])
  assert(!shown.includes(testKey))
  assert(!log.join().match(/hello|secret|canary/))
  await until(() => log.some((line) => line.includes('"outcome":"complete"')))
  assert(!JSON.stringify(snapshotOf({})).includes(testKey))
})

test('pain 11, a fallback that does not come: an alias is answered by the first of its models that some engine serves; its row names the model', async (t) => {
  const good = await fakeUpstream(t, (response) => stream(response, delta('from b'), finish(), done))
  const gone = await fakeUpstream(t, (response) => response.destroy())
  const { post, journal } = await bench(t, {
    engines: [
      { url: gone.url, models: { a: 'a' } },
      { url: good.url, models: { b: 'b' } },
    ],
    aliases: { chat: ['a', 'b'] },
  })
  const reply = await post('/v1/chat/completions', chatBody({ model: 'chat', stream: true }))
  assert.match(reply.text, /from b/)
  const [close] = journal.closes
  assert.equal(close?.model, 'b')
  assert.deepEqual(
    close?.attempts.map(({ replica }) => replica),
    ['engine-1', 'engine-2'],
  )
  const models = await fetch(
    `${(await bench(t, { engines: [{ url: good.url }], aliases: { other: ['m'] } })).url}/v1/models`,
    {
      headers: { authorization: `Bearer ${testKey}` },
    },
  )
  assert.deepEqual(
    ((await models.json()) as { data: { id: string }[] }).data.map(({ id }) => id),
    ['m', 'other'],
  )
})
