import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, delta, done, eventsOf, fakeUpstream, finish, type Setup, stream } from './testing.ts'

/** Guard rails and the cache bind a request in Anthropic's language as they bind a chat. */
const denies: NonNullable<Setup['rails']>[number] = {
  name: 'no-herons',
  scope: 'tenant',
  of: 'acme',
  input: { words: ['heron'] },
  output: { words: ['heron'] },
}
const body = (more: object = {}): object => ({
  model: 'm',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'hello there' }],
  ...more,
})
const usage = { usage: { prompt_tokens: 9, completion_tokens: 3 } }
const anthropic = 'anthropic' as const
const path = '/v1/messages'

test('a denied prompt reaches no engine, wherever in it the words stand, and is refused in Anthropic’s shape', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end())
  const text = (one: string) => ({ type: 'text', text: one })
  const result = (content: unknown) => [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content }] }]
  for (const vendor of [anthropic, 'openai' as const]) {
    const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor }], rails: [denies] })
    for (const [more, param] of [
      [{ messages: [{ role: 'user', content: 'the Heron' }] }, 'messages[0].content'],
      [{ system: [text('a heron')] }, 'system[0].text'],
      [{ messages: [{ role: 'user', content: [text('her'), text('on')] }] }, 'messages[0].content'],
      [{ messages: result([text('heron')]) }, 'messages[0].content[0].content[0].text'],
      [{ tools: [{ name: 'f', description: 'heron', input_schema: {} }] }, 'tools[0].description'],
    ] as const) {
      const { status, json } = await post(path, body(more))
      assert.deepEqual([status, json.type, json.error.type], [400, 'error', 'invalid_request_error'])
      assert.deepEqual([json.error.details.error_code, json.error.details.param], ['prompt_denied', param])
    }
    assert.deepEqual([up.seen.length, journal.rows.length], [0, 0])
  }
})

test('a denied answer leaves as an error: of an engine with either API, in text and in the input of a tool', async (t) => {
  const start = { type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } }
  const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }
  const part = (index: number, one: object) => ({ type: 'content_block_delta', index, delta: one })
  const asEvents = (...events: object[]) => events.map((one) => `data: ${JSON.stringify(one)}\n\n`)
  const tool = { type: 'tool_use', id: 't', name: 'f', input: {} }
  const says = {
    text: asEvents(
      start,
      part(0, { type: 'text_delta', text: 'a he' }),
      part(0, { type: 'text_delta', text: 'ron' }),
      end,
    ),
    input: asEvents(
      start,
      { type: 'content_block_start', index: 0, content_block: tool },
      part(0, { type: 'input_json_delta', partial_json: '{"bird":"he' }),
      part(0, { type: 'input_json_delta', partial_json: 'ron"}' }),
      end,
    ),
  }
  const whole = (block: object) => ({
    type: 'message',
    content: [block],
    stop_reason: 'end_turn',
    usage: { input_tokens: 9, output_tokens: 3 },
  })
  let answer: 'text' | 'input' = 'text'
  const native = await fakeUpstream(t, (response, { body: { stream: streamed } }) => {
    if (streamed) return stream(response, ...says[answer])
    const block = answer === 'text' ? { type: 'text', text: 'a heron' } : { ...tool, input: { bird: 'heron' } }
    response.end(JSON.stringify(whole(block)))
  })
  const foreign = await fakeUpstream(t, (response, { body: { stream: streamed } }) => {
    if (streamed) return stream(response, delta('a he'), delta('ron'), finish(), finish(usage), done)
    response.end(JSON.stringify({ choices: [{ message: { content: 'a heron' }, finish_reason: 'stop' }], ...usage }))
  })
  const own = await bench(t, { engines: [{ url: native.url, vendor: anthropic }], rails: [denies] })
  const other = await bench(t, { engines: [{ url: foreign.url }], rails: [denies] })
  for (const [made, of] of [
    [own, 'text'],
    [own, 'input'],
    [other, 'text'],
  ] as const)
    for (const more of [{}, { stream: true }]) {
      answer = of
      const { status, json, text } = await made.post(path, body(more))
      assert.deepEqual([status, json.error?.details?.error_code], [422, 'answer_denied'], text)
      assert(!/he.?ron/.test(text.replaceAll('no-herons', '')), text)
    }
  assert.deepEqual(
    [...own.journal.closes, ...other.journal.closes].map(({ outcome }) => outcome),
    Array(6).fill('denied'),
  )
})

test('an answer that is well comes whole, as its engine told it', async (t) => {
  const events = [
    { type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a stork' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
    { type: 'message_stop' },
  ]
  const up = await fakeUpstream(t, (response) =>
    stream(response, ...events.map((one) => `data: ${JSON.stringify(one)}\n\n`)),
  )
  const schema = { type: 'string', enum: ['a stork'] }
  const rail = { ...denies, output: { ...denies.output, schema } }
  const { post, journal } = await bench(t, { engines: [{ url: up.url, vendor: anthropic }], rails: [denies] })
  const { status, text } = await post(path, body({ stream: true }))
  assert.equal(status, 200)
  const told = eventsOf(text).map(({ type }) => type)
  assert.deepEqual(
    told.filter((type) => type !== 'ping'),
    events.map(({ type }) => type),
  )
  assert.equal(journal.closes[0]?.outcome, 'complete')
  const strict = await bench(t, { engines: [{ url: up.url, vendor: anthropic }], rails: [rail] })
  const refused = await strict.post(path, body({ stream: true }))
  assert.equal(refused.json.error.details.error_code, 'answer_invalid', 'a text is no JSON')
})

test('the same greedy message is answered once by the engine and then from the cache, streamed or not', async (t) => {
  let count = 0
  const up = await fakeUpstream(t, (response, { body: { stream: streamed } }) => {
    const content = `answer ${++count}`
    if (streamed) return stream(response, delta(content), finish(), finish(usage), done)
    response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], ...usage }))
  })
  const { post, journal } = await bench(t, { engines: [{ url: up.url }] })
  const asks = async (more: object, headers: Record<string, string> = {}) => {
    const asked = body({ temperature: 0, ...more })
    const {
      status,
      headers: told,
      text,
      json,
    } = await post(path, asked, { 'x-wattmill-cache': 'max-age=60', ...headers })
    assert.equal(status, 200, text)
    return { cache: told.get('x-wattmill-cache'), cost: told.get('x-wattmill-cost-usd'), text, json }
  }
  const [first, second] = [await asks({}), await asks({})]
  assert.deepEqual([first.cache, second.cache, second.cost, up.seen.length], ['miss', 'hit', '0', 1])
  assert.deepEqual([second.json.content, second.json.usage], [first.json.content, first.json.usage])
  assert.notEqual(second.json.id, first.json.id, 'each has a receipt of its own')
  assert.deepEqual([journal.closes[1]?.attempts, journal.closes[1]?.cached?.from], [[], journal.closes[0]?.id])

  const [streamed, again] = [await asks({ stream: true }), await asks({ stream: true })]
  assert.deepEqual([streamed.cache, again.cache], ['miss', 'hit'])
  const last = (text: string) => eventsOf(text).find(({ type }) => type === 'message_delta')
  assert.deepEqual(last(again.text).usage, last(streamed.text).usage)
  assert.equal(last(again.text).wattmill.cost_usd, '0')
  assert.equal(
    (await asks({}, { 'anthropic-beta': 'context-1m-2025-08-07' })).cache,
    'miss',
    'other features are asked for',
  )
})

test('a wish of the cache that is none is refused in Anthropic’s shape', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end())
  const { post } = await bench(t, { engines: [{ url: up.url }] })
  const { status, json } = await post(path, body(), { 'x-wattmill-cache': 'always' })
  assert.deepEqual([status, json.type, json.error.details.param], [400, 'error', 'x-wattmill-cache'])
})
