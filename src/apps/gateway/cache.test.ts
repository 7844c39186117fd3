import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey } from '../../adapters/random/secret.ts'
import { costOf, post as transfersOf } from '../../books/post.ts'
import { priceList } from '../../books/price.ts'
import { price } from '../../units/amount.ts'
import type { ModelId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { bench, chatBody, delta, done, eventsOf, fakeUpstream, finish, perMillion, stream } from './testing.ts'

const usage = { usage: { prompt_tokens: 9, completion_tokens: 3 } }
const wish = { 'x-wattmill-cache': 'max-age=60' }
const greedy = (more: object = {}) => chatBody({ temperature: 0, ...more })

/** An upstream whose every answer is another. */
const counting = (t: Parameters<typeof bench>[0]) => {
  let count = 0
  return fakeUpstream(t, (response, { body }) => {
    const content = `answer ${++count}`
    if (body.stream)
      return stream(response, delta(content.slice(0, 3)), delta(content.slice(3)), finish(), finish(usage), done)
    response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], ...usage }))
  })
}

test('the same greedy request is answered once by the engine and then from the cache: free, booked, in the same shape', async (t) => {
  const upstream = await counting(t)
  const { post, journal } = await bench(t, { engines: [{ url: upstream.url }] })
  const [first, second] = [
    await post('/v1/chat/completions', greedy(), wish),
    await post('/v1/chat/completions', greedy(), wish),
  ]
  assert.deepEqual([first.headers.get('x-wattmill-cache'), second.headers.get('x-wattmill-cache')], ['miss', 'hit'])
  assert.equal(second.headers.get('age'), '0')
  const { id: a, created: _, ...one } = first.json
  const { id: b, created: __, ...two } = second.json
  assert.deepEqual(two, one)
  assert.notEqual(a, b, 'each has a receipt of its own')
  assert.notEqual(first.headers.get('x-wattmill-cost-usd'), '0')
  assert.equal(second.headers.get('x-wattmill-cost-usd'), '0')
  assert.equal(upstream.seen.length, 1)
  const [made, hit] = journal.closes
  assert.deepEqual([hit?.outcome, hit?.attempts, hit?.cached?.from], ['complete', [], made?.id])
  assert.deepEqual(hit?.cached?.usage, made?.attempts[0]?.usage)
  assert.deepEqual(
    transfersOf(hit ?? assert.fail(), undefined),
    [],
    'its tokens are no engine’s, and nobody owes for them',
  )
})

test('streams are answered by streams, and whole answers by whole ones', async (t) => {
  const upstream = await counting(t)
  const { post } = await bench(t, { engines: [{ url: upstream.url }] })
  const asked = greedy({ stream: true, stream_options: { include_usage: true } })
  const say = async () => eventsOf((await post('/v1/chat/completions', asked, wish)).text)
  const text = (events: Awaited<ReturnType<typeof say>>) =>
    events.map((one) => one.choices?.[0]?.delta?.content ?? '').join('')
  const [first, second] = [await say(), await say()]
  assert.deepEqual([text(first), text(second)], ['answer 1', 'answer 1'])
  assert.equal(second.at(-1), '[DONE]')
  assert.deepEqual(second.at(-2).usage, first.at(-2).usage)
  assert.deepEqual([second.at(-2).wattmill.cached, second.at(-2).wattmill.cost_usd], [true, '0'])
  assert.equal((await post('/v1/chat/completions', greedy(), wish)).json.choices[0].message.content, 'answer 2')
})

test('nothing comes from the cache that was not wished, is drawn by chance, is another’s, is too old or failed', async (t) => {
  const upstream = await counting(t)
  const made = await bench(t, { engines: [{ url: upstream.url }] })
  const asks = async (body: object, headers: Record<string, string> = wish) => {
    const before = upstream.seen.length
    const reply = await made.post('/v1/chat/completions', body, headers)
    return [reply.status, reply.headers.get('x-wattmill-cache'), upstream.seen.length - before]
  }
  assert.deepEqual(await asks(greedy()), [200, 'miss', 1])
  assert.deepEqual(await asks(greedy(), {}), [200, null, 1], 'not wished')
  assert.deepEqual(await asks(greedy(), { 'x-wattmill-cache': 'off' }), [200, null, 1])
  assert.deepEqual(await asks(chatBody()), [200, null, 1], 'drawn by chance')
  const sampled = { 'x-wattmill-cache': 'max-age=60, sampled' }
  assert.deepEqual(await asks(chatBody(), sampled), [200, 'miss', 1])
  assert.deepEqual(await asks(chatBody(), sampled), [200, 'hit', 0])
  assert.deepEqual(await asks(greedy()), [200, 'hit', 0])
  assert.deepEqual(await asks(greedy(), { 'x-wattmill-cache': 'always' }), [400, null, 0])
  await new Promise((later) => setTimeout(later, 1100))
  assert.deepEqual(await asks(greedy(), { 'x-wattmill-cache': 'max-age=1' }), [200, 'miss', 1], 'too old')
})

test('a tenant never gets another tenant’s answer', async (t) => {
  const upstream = await counting(t)
  const { post, gateway } = await bench(t, { engines: [{ url: upstream.url }] })
  await post('/v1/chat/completions', greedy(), wish)
  const { snapshot, pepper } = gateway.state
  const [grant] = [...(snapshot?.grants.values() ?? [])]
  const other = new Map(snapshot?.grants).set(hashKey(pepper ?? Buffer.alloc(0), 'wm-other'), {
    ...(grant ?? assert.fail()),
    tenant: 'rival' as never,
  })
  gateway.state.snapshot = { ...(snapshot ?? assert.fail()), grants: other }
  const asked = await post('/v1/chat/completions', greedy(), { ...wish, authorization: 'Bearer wm-other' })
  assert.deepEqual([asked.status, asked.headers.get('x-wattmill-cache'), upstream.seen.length], [200, 'miss', 2])
})

test('a hit leaves only when its row is durable', async (t) => {
  const upstream = await counting(t)
  const { post, journal } = await bench(t, { engines: [{ url: upstream.url }] })
  await post('/v1/chat/completions', greedy(), wish)
  journal.fails = true
  const { status, json } = await post('/v1/chat/completions', greedy(), wish)
  assert.deepEqual([status, json.error.code], [503, 'journal_unavailable'])
  assert.equal(upstream.seen.length, 1)
})

test('an answer that a rail withheld, or that broke off, is not kept', async (t) => {
  let bad = true
  const upstream = await fakeUpstream(t, (response) => {
    const content = bad ? 'a heron' : 'a stork'
    response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], ...usage }))
  })
  const rails = [{ name: 'r', scope: 'factory' as const, of: '', output: { words: ['heron'] } }]
  const { post } = await bench(t, { engines: [{ url: upstream.url }], rails })
  assert.equal((await post('/v1/chat/completions', greedy(), wish)).json.error.code, 'answer_denied')
  bad = false
  assert.equal((await post('/v1/chat/completions', greedy(), wish)).headers.get('x-wattmill-cache'), 'miss')
  assert.equal((await post('/v1/chat/completions', greedy(), wish)).json.choices[0].message.content, 'a stork')
  assert.equal(upstream.seen.length, 2)
})

test('where its price says so a hit costs a part of what it spared, streamed and whole, and the row and the client agree', async (t) => {
  const upstream = await counting(t)
  const hits = { version: 4, model: 'm', effective_from_ms: 0, note: '', perMillion, hit_percent: 10 }
  const { post, journal } = await bench(t, { engines: [{ url: upstream.url }], prices: [hits] })
  const asked = greedy({ stream: true, stream_options: { include_usage: true } })
  const toldOf = async (body: object) => {
    const reply = await post('/v1/chat/completions', body, wish)
    return body === asked ? eventsOf(reply.text).at(-2).wattmill.cost_usd : reply.headers.get('x-wattmill-cost-usd')
  }
  // 9 × 50 + 3 × 100 and a tenth of it, in nano-dollars.
  const told = [await toldOf(greedy()), await toldOf(greedy()), await toldOf(asked), await toldOf(asked)]
  assert.deepEqual(told, ['0.00000075', '0.000000075', '0.00000075', '0.000000075'])
  assert.equal(upstream.seen.length, 2)
  const version = { ...hits, model: id<ModelId>('m'), perMillion: priceList(price(50_000_000n), price(100_000_000n)) }
  for (const row of [journal.closes[1], journal.closes[3]]) {
    assert.deepEqual([row?.price_version, row?.attempts, row?.ttft_ms === null], [4, [], false])
    assert.equal(costOf(row ?? assert.fail(), version), 75n)
  }
})

test('an answer is charged at the price of the site that gave it, and its hits at theirs, though another may answer by now', async (t) => {
  const upstream = await counting(t)
  const price4 = { version: 4, model: 'm', effective_from_ms: 0, note: '', perMillion, hit_percent: 10 }
  const dearer = { ...perMillion, output_visible: '200000000' }
  const price5 = { ...price4, version: 5, site: 'eu-north', perMillion: dearer, hit_percent: 50 }
  const engines = [{ url: upstream.url, site: 'eu-north' }]
  const { post, journal } = await bench(t, { engines, prices: [price4, price5] })
  const asked = greedy({ stream: true, stream_options: { include_usage: true } })
  const toldOf = async (body: object) => {
    const reply = await post('/v1/chat/completions', body, wish)
    return body === asked ? eventsOf(reply.text).at(-2).wattmill.cost_usd : reply.headers.get('x-wattmill-cost-usd')
  }
  // 9 × 50 + 3 × 200 and a half of it, in nano-dollars.
  const told = [await toldOf(greedy()), await toldOf(greedy()), await toldOf(asked), await toldOf(asked)]
  assert.deepEqual(told, ['0.00000105', '0.000000525', '0.00000105', '0.000000525'])
  const [made, hit] = journal.closes
  assert.deepEqual([made?.price_version, made?.attempts[0]?.site], [5, 'eu-north'])
  assert.deepEqual([hit?.price_version, hit?.attempts, hit?.cached?.site], [5, [], 'eu-north'])
  // The main site is not written: rows of a factory that names none are as they were.
  const plain = await bench(t, { engines: [{ url: upstream.url }], prices: [price4, price5] })
  for (const _ of [1, 2]) await plain.post('/v1/chat/completions', greedy(), wish)
  const [own, ownHit] = plain.journal.closes
  assert.deepEqual([own?.price_version, ownHit?.price_version], [4, 4])
  assert(!('site' in (own?.attempts[0] ?? {})) && !('site' in (ownHit?.cached ?? {})))
})

test('a hit of an answer that a fallback made is booked on the model that made it', async (t) => {
  const upstream = await counting(t)
  const { post, journal } = await bench(t, {
    engines: [{ url: 'http://127.0.0.1:9', models: { first: 'x' } }, { url: upstream.url }],
    aliases: { both: ['first', 'm'] },
  })
  for (const _ of [1, 2]) await post('/v1/chat/completions', greedy({ model: 'both' }), wish)
  assert.deepEqual(
    journal.closes.map(({ model, cached }) => [model, cached !== undefined]),
    [
      ['m', false],
      ['m', true],
    ],
  )
})
