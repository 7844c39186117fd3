import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, delta, done, eventsOf, fakeUpstream, finish, parsed, type Setup, stream, testKey } from './testing.ts'

/** Guard rails and the cache bind a response as they bind a chat. */
const denies: NonNullable<Setup['rails']>[number] = {
  name: 'no-herons',
  scope: 'tenant',
  of: 'acme',
  input: { words: ['heron'] },
  output: { words: ['heron'] },
}
const usage = { usage: { prompt_tokens: 9, completion_tokens: 3 } }
const path = '/v1/responses'
const body = (more: object = {}): object => ({ model: 'm', input: 'hello', ...more })

/** An upstream that says each of these in turn, cut into two. */
const saying = (t: Parameters<typeof bench>[0], say: (count: number) => string) => {
  let count = 0
  return fakeUpstream(t, (response, { body: { stream: streamed } }) => {
    const content = say(++count)
    if (streamed)
      return stream(response, delta(content.slice(0, 4)), delta(content.slice(4)), finish(), finish(usage), done)
    response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], ...usage }))
  })
}
const kept = async (url: string, id: string) => {
  const response = await fetch(`${url}${path}/${id}`, { headers: { authorization: `Bearer ${testKey}` } })
  return { status: response.status, json: parsed(await response.text()) }
}

test('a denied prompt reaches no engine, wherever in it the words stand, and is told in the words of Responses', async (t) => {
  const up = await saying(t, () => 'a stork')
  const { post, journal } = await bench(t, { engines: [{ url: up.url }], rails: [denies] })
  for (const [more, param] of [
    [{ input: 'the Heron' }, 'input[0].content'],
    [{ instructions: 'say heron' }, 'instructions'],
    [
      {
        input: [
          { role: 'user', content: 'x' },
          { role: 'user', content: 'heron' },
        ],
      },
      'input[1].content',
    ],
    [{ tools: [{ type: 'function', name: 'f', description: 'heron', parameters: {} }] }, 'tools[0].description'],
  ] as const) {
    const { status, json } = await post(path, body(more))
    assert.deepEqual([status, json.error.code, json.error.param], [400, 'prompt_denied', param])
  }
  assert.deepEqual([up.seen.length, journal.rows.length], [0, 0])
})

test('a denied answer leaves as an error, streamed or not, is billed for what was made, and is not kept', async (t) => {
  const up = await saying(t, () => 'a heron')
  const { url, post, journal } = await bench(t, { engines: [{ url: up.url }], rails: [denies] })
  for (const more of [{}, { stream: true }]) {
    const { status, json, text, headers } = await post(path, body(more))
    assert.deepEqual([status, json.error?.code], [422, 'answer_denied'], text)
    assert(!text.includes('a he'))
    assert.equal((await kept(url, `resp_${headers.get('x-request-id')}`)).status, 404)
  }
  assert.deepEqual(
    journal.closes.map(({ outcome }) => outcome),
    ['denied', 'denied'],
  )
})

test('what was kept before a rail came is searched when a response goes on from it', async (t) => {
  const up = await saying(t, () => 'a heron')
  const { gateway, post } = await bench(t, { engines: [{ url: up.url }] })
  const first = await post(path, body())
  assert.equal(first.status, 200)
  const { snapshot } = gateway.state
  gateway.state.snapshot = { ...(snapshot ?? assert.fail()), rails: [denies] }
  const { status, json } = await post(path, body({ previous_response_id: first.json.id }))
  assert.deepEqual([status, json.error.code, up.seen.length], [400, 'prompt_denied', 1])
})

test('an answer that is well is held and then comes as events', async (t) => {
  const up = await saying(t, () => 'a stork')
  const { post } = await bench(t, { engines: [{ url: up.url }], rails: [denies] })
  const events = eventsOf((await post(path, body({ stream: true }))).text)
  assert.equal(events.at(-1).type, 'response.completed')
  assert.equal(events.at(-1).response.output[0].content[0].text, 'a stork')
})

test('the same greedy request is answered from the cache, streamed or not, as a response of its own that is kept', async (t) => {
  const up = await saying(t, (count) => `answer ${count}`)
  const { url, post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const asks = (more: object) => post(path, body({ temperature: 0, ...more }), { 'x-wattmill-cache': 'max-age=60' })
  const [first, second] = [await asks({}), await asks({})]
  assert.deepEqual([first.headers.get('x-wattmill-cache'), second.headers.get('x-wattmill-cache')], ['miss', 'hit'])
  assert.deepEqual([second.headers.get('x-wattmill-cost-usd'), up.seen.length], ['0', 1])
  assert.equal(second.json.output[0].content[0].text, 'answer 1')
  assert.notEqual(second.json.id, first.json.id)
  assert.deepEqual((await kept(url, second.json.id)).json.output, second.json.output)
  assert.deepEqual([journal.closes[1]?.attempts, journal.closes[1]?.cached?.from], [[], journal.closes[0]?.id])

  const last = async () => eventsOf((await asks({ stream: true })).text).at(-1)
  const [made, again] = [await last(), await last()]
  assert.deepEqual([again.type, up.seen.length], ['response.completed', 2])
  assert.deepEqual(again.response.usage, made.response.usage)
  const gone = await asks({ previous_response_id: first.json.id })
  assert.equal(gone.headers.get('x-wattmill-cache'), 'miss', 'another conversation')
})

test('a wish of the cache that is none is refused', async (t) => {
  const up = await saying(t, () => 'x')
  const { post } = await bench(t, { engines: [{ url: up.url }] })
  const { status, json } = await post(path, body(), { 'x-wattmill-cache': 'always' })
  assert.deepEqual([status, json.error.param, up.seen.length], [400, 'x-wattmill-cache', 0])
})
