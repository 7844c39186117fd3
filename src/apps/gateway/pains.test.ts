/**
 * What users of other gateways suffer from, each as a test that is named after it (`npm run pains` runs them all). These are
 * the ones that show at one gateway; the others stand beside what keeps them away.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { post as posted } from '../../books/post.ts'
import { priceList } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import { price } from '../../units/amount.ts'
import { bench, chatBody, chunkOf, delta, done, fakeUpstream, finish, perMillion, stream, until } from './testing.ts'

const prices = {
  version: 3,
  model: 'm' as CloseRow['model'],
  effective_from_ms: 0,
  note: '',
  perMillion: priceList(price(BigInt(perMillion.input_uncached)), price(BigInt(perMillion.output_visible)), {
    cache_read: price(BigInt(perMillion.cache_read)),
    reasoning: price(BigInt(perMillion.reasoning)),
  }),
}
/** Nano-dollars. */
const charged = (row: CloseRow | undefined): number =>
  row ? posted(row, prices).reduce((sum, { unit, amount }) => sum + (unit === 'nano-USD' ? Number(amount) : 0), 0) : 0

const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }
const role = chunkOf({ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null })

/** Ways in which upstreams tell of a stream's usage, or do not. */
const tellings: Readonly<Record<string, readonly string[]>> = {
  'in a chunk of its own, as OpenAI does': [role, delta('Hi'), finish(), chunkOf(undefined, { usage }), done],
  'beside the last choice': [role, delta('Hi'), finish({ usage }), done],
  'null until the end': [
    role,
    delta('Hi', { usage: null }),
    finish({ usage: null }),
    chunkOf(undefined, { usage }),
    done,
  ],
  'so far, in every chunk': [
    role,
    delta('Hi', { usage: { ...usage, completion_tokens: 1 } }),
    finish({ usage: { ...usage, completion_tokens: 19 } }),
    chunkOf(undefined, { usage }),
    done,
  ],
  'without an end of the stream': [role, delta('Hi'), finish(), chunkOf(undefined, { usage })],
}

for (const [how, parts] of Object.entries(tellings))
  test(`pain 1, streamed spend is 0 or wrong: usage ${how}`, async (t) => {
    const up = await fakeUpstream(t, (response) => stream(response, ...parts))
    const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
    await post('/v1/chat/completions', chatBody({ stream: true }))
    assert.equal(charged(journal.closes[0]), (100 * 50_000_000 + 20 * 100_000_000) / 1e6)
  })

test('pain 1, streamed spend is 0 or wrong: an upstream that tells no usage is charged by what passed', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, role, delta('a'), delta('b'), finish(), done))
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  await post('/v1/chat/completions', chatBody({ stream: true }))
  const [row] = journal.closes
  assert.deepEqual(row?.attempts[0]?.usage.output_visible, { tokens: 2, source: 'counted' })
  assert(charged(row) > 2 * 100)
})

test('pain 2, cached and reasoning tokens mispriced: each class once, beside choices too', async (t) => {
  const detailed = {
    prompt_tokens: 1000,
    completion_tokens: 50,
    prompt_tokens_details: { cached_tokens: 900 },
    completion_tokens_details: { reasoning_tokens: 30 },
  }
  const up = await fakeUpstream(t, (response) => stream(response, role, delta('Hi'), finish({ usage: detailed }), done))
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  await post('/v1/chat/completions', chatBody({ stream: true }))
  const nano = (100 * 50_000_000 + 900 * 5_000_000 + 20 * 100_000_000 + 30 * 200_000_000) / 1e6
  assert.equal(charged(journal.closes[0]), nano)
})

test('pain 6, limits fire wrong: of 544 at once exactly the 100 of the limit pass', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, role, delta('Hi'), finish({ usage }), done))
  const { post, journal } = await bench(t, {
    engines: [{ url: up.url, concurrency: 1000 }],
    grant: { requests_per_minute: 100 },
    settings: { maxConnections: 1000, admission: { ...ample, queueLength: 1000 } },
  })
  const begun = performance.now()
  const answers = await Promise.all(
    Array.from({ length: 544 }, () => post('/v1/chat/completions', chatBody({ stream: true }))),
  )
  const refilled = Math.floor(((performance.now() - begun) / 60_000) * 100)
  const passed = answers.filter(({ status }) => status === 200).length
  assert(passed >= 100 && passed <= 100 + refilled, `${passed} passed, ${refilled} came back meanwhile`)
  assert(answers.every(({ status, json }) => status === 200 || json.error.code === 'requests_per_minute'))
  assert.equal(journal.closes.length, passed)
})

const ample = { queueTime: 10 as never, absentTime: 0 as never, leaseTime: 1 as never, attempts: 3 }

test('pain 10, slow with large bodies: an image is neither counted as a novel nor changed on its way', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, role, delta('Hi'), finish({ usage }), done))
  const { post, journal } = await bench(t, {
    engines: [{ url: up.url }],
    grant: { tokens_per_minute: 3000 },
    settings: { bodyBytes: 4 * 1024 * 1024 },
  })
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(2 * 1024 * 1024)}` } }
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'what is this?' }, image] }]
  const { status } = await post('/v1/chat/completions', { model: 'm', messages, stream: true, max_tokens: 100 })
  assert.equal(status, 200, 'half a million tokens would not have passed the limit')
  assert.deepEqual(up.seen[0]?.body.messages, messages)
  await until(() => journal.closes.length === 1)
  assert(JSON.stringify(journal.rows).length < 4096, 'no row holds a prompt')
})
