import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { parseExport } from '../bench/audit/read.ts'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { madeUpMessages } from './anthropic-engine.ts'
import { writeCaller } from './caller.ts'
import { createKey, discard, engineCount } from './factory.ts'

/**
 * Anthropic's own client against a factory: on its embedded engine (`starter`, `caller`), on a second factory as an engine
 * with Anthropic's API (`far`, `far-caller`), and on a synthetic one where only Anthropic's service would do.
 */
let near: Factory
let far: Factory
let key: string
let anthropic: Anthropic
let openai: OpenAI
const upstream = await madeUpMessages()

before(async () => {
  ;[near, far] = await Promise.all([startFactory(), startFactory()])
  for (const factory of [near, far]) {
    // Two that start at once on two cores: the API is up before the embedded engine has said that it is.
    await until('its engine is ready', async () => /starter ready/.test(await factory.cli('status')) || undefined)
    await factory.cli('models', 'add', writeCaller(join(factory.home, 'caller.gguf')))
  }
  const secret = join(near.home, 'far.key')
  writeFileSync(secret, await createKey(far), { mode: 0o600 })
  const engine = (name: string, url: string, ...more: string[]) =>
    near.cli('engines', 'add', name, '--vendor', 'anthropic', '--url', url, ...more)
  const models = ['--model', 'far=starter', '--model', 'far-caller=caller']
  await engine('second', far.base, '--key-from', `file:${secret}`, ...models)
  await engine('synthetic', `${upstream.url}/v1`)
  key = await createKey(near)
  anthropic = new Anthropic({ baseURL: near.base, apiKey: key, maxRetries: 0 })
  openai = new OpenAI({ baseURL: `${near.base}/v1`, apiKey: key, maxRetries: 0 })
})
after(async () => {
  upstream[Symbol.dispose]()
  await Promise.all([discard(near), discard(far)])
})

const messages = [{ role: 'user' as const, content: 'My card has not arrived yet, where is it?' }]
const ask = { model: 'starter', max_tokens: 40, temperature: 0, messages }
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => assert.fail('no error'),
    (error: unknown) => error,
  )

test('the models that can be asked for', async () => {
  const models = await Array.fromAsync(anthropic.models.list())
  assert(models.some(({ id, type }) => id === 'starter' && type === 'model'))
  assert.equal((await anthropic.models.retrieve('starter')).display_name, 'starter')
})

test("an answer and its stream, on both kinds of engine: one text, whose usage is the engine's own count", async () => {
  const { data, request_id } = await anthropic.messages.create(ask).withResponse()
  assert(textOf(data).length > 0)
  assert.deepEqual([data.type, data.role, data.model], ['message', 'assistant', 'starter'])
  const count = engineCount(near, request_id ?? '')
  const classes = ({ usage }: Anthropic.Message) => ({
    input_uncached: usage.input_tokens,
    cache_read: usage.cache_read_input_tokens,
    output: usage.output_tokens,
  })
  assert.deepEqual(classes(data), count)
  for (const model of ['starter', 'far']) {
    const stream = anthropic.messages.stream({ ...ask, model })
    let deltas = 0
    stream.on('text', () => deltas++)
    const final = await stream.finalMessage()
    assert.equal(textOf(final), textOf(data))
    assert.equal(final.stop_reason, data.stop_reason)
    assert(deltas > 1, 'one delta is no stream')
    const whole = await anthropic.messages.create({ ...ask, model })
    assert.equal(textOf(whole), textOf(data))
    for (const { usage } of [final, whole]) {
      assert.equal(usage.input_tokens + (usage.cache_read_input_tokens ?? 0), count.input_uncached + count.cache_read)
      assert.equal(usage.output_tokens, count.output)
    }
  }
})

test('a chat of OpenAI on an engine with the API of Anthropic', async () => {
  const chat = { ...ask, model: 'far' }
  const whole = await openai.chat.completions.create(chat)
  const near = await openai.chat.completions.create({ ...chat, model: 'starter' })
  assert.equal(whole.choices[0]?.message.content, near.choices[0]?.message.content)
  assert.equal(whole.usage?.total_tokens, near.usage?.total_tokens)
  const stream = await openai.chat.completions.create({
    ...chat,
    stream: true,
    stream_options: { include_usage: true },
  })
  let [content, total] = ['', 0]
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? ''
    total = chunk.usage?.total_tokens ?? total
  }
  assert.deepEqual([content, total], [near.choices[0]?.message.content, near.usage?.total_tokens])
})

const input_schema = {
  type: 'object' as const,
  properties: { city: { enum: ['Bonn', 'Köln'] }, days: { type: 'integer', minimum: 1, maximum: 7 } },
  required: ['city', 'days'],
  additionalProperties: false as const,
}
const tools = [{ name: 'weather', input_schema, strict: true }]

test('a tool is called and its result told back, on both kinds of engine, streamed and whole', async () => {
  for (const model of ['caller', 'far-caller']) {
    const call = {
      model,
      max_tokens: 400,
      temperature: 0,
      tools,
      messages: [{ role: 'user' as const, content: 'Rain?' }],
    }
    const whole = await anthropic.messages.create(call)
    const streamed = await anthropic.messages.stream(call).finalMessage()
    const uses = [whole, streamed].map((message) => {
      assert.equal(message.stop_reason, 'tool_use', model)
      const use = message.content.find((block) => block.type === 'tool_use')
      assert(use?.type === 'tool_use' && use.name === 'weather')
      const { city, days } = use.input as { city: string; days: number }
      assert(['Bonn', 'Köln'].includes(city) && days >= 1 && days <= 7)
      return use
    })
    assert.deepEqual(uses[0]?.input, uses[1]?.input)
    const after = await anthropic.messages.create({
      ...call,
      max_tokens: 5,
      messages: [
        ...call.messages,
        { role: 'assistant', content: whole.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: uses[0]?.id ?? '', content: 'no' }] },
      ],
    })
    assert(after.usage.output_tokens > 0)
  }
  const chat = await openai.chat.completions.create({
    model: 'far-caller',
    messages: [{ role: 'user', content: 'Rain?' }],
    tools: [{ type: 'function', function: { name: 'weather', parameters: input_schema, strict: true } }],
  })
  const [use] = chat.choices[0]?.message.tool_calls ?? []
  assert(use?.type === 'function' && use.function.name === 'weather')
  assert.equal(chat.choices[0]?.finish_reason, 'tool_calls')
})

test('the size of a prompt is what its answer is billed for', async () => {
  for (const model of ['starter', 'far']) {
    const { input_tokens } = await anthropic.messages.countTokens({ model, messages, system: 'be brief' })
    const { usage } = await anthropic.messages.create({ ...ask, model, system: 'be brief' })
    assert.equal(input_tokens, usage.input_tokens + (usage.cache_read_input_tokens ?? 0), model)
  }
})

test('errors have their class, type, code and request id', async () => {
  const stranger = new Anthropic({ baseURL: near.base, apiKey: 'wm-not-a-key', maxRetries: 0 })
  const long = [{ role: 'user' as const, content: 'where is my card '.repeat(5_000) }]
  const create = (more: object, client = anthropic) => client.messages.create({ ...ask, ...more })
  const cases = [
    [() => create({ model: 'nobody' }), Anthropic.NotFoundError, 'not_found_error', 'model_not_found'],
    [() => create({}, stranger), Anthropic.AuthenticationError, 'authentication_error', 'invalid_api_key'],
    [() => create({ messages: long }), Anthropic.BadRequestError, 'invalid_request_error', 'context_length_exceeded'],
    [
      () => create({ model: 'far', messages: long }),
      Anthropic.BadRequestError,
      'invalid_request_error',
      'context_length_exceeded',
    ],
    [() => create({ tools }), Anthropic.BadRequestError, 'invalid_request_error', 'unsupported_parameter'],
    [() => create({ messages: [] }), Anthropic.BadRequestError, 'invalid_request_error', 'invalid_value'],
  ] as const
  for (const [call, type, kind, code] of cases) {
    const error = await thrown(call())
    assert(error instanceof type, `${code}: ${error}`)
    assert.deepEqual([error.type, error.errorCode], [kind, code])
    assert(error.requestID && error.message.includes(error.requestID))
  }
})

test('thoughts and their signature, and a stream that breaks off: an engine as Anthropic would be (synthetic)', async () => {
  const final = await anthropic.messages
    .stream({ ...ask, model: 'thinks', max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 1024 } })
    .finalMessage()
  assert.deepEqual(final.content[0], { type: 'thinking', thinking: 'hm, hm', signature: 'signed' })
  assert.deepEqual(final.usage.output_tokens_details, { thinking_tokens: 5 })
  assert.deepEqual(
    [final.usage.input_tokens, final.usage.cache_creation_input_tokens, final.usage.output_tokens],
    [7, 3, 9],
  )
  const error = await thrown(anthropic.messages.stream({ ...ask, model: 'breaks' }).finalMessage())
  assert(error instanceof Anthropic.APIError, String(error))
  assert.deepEqual([error.type, error.errorCode], ['api_error', 'stream_truncated'])
})

test('who leaves a stream is billed, and the books of both factories are conserved', async () => {
  for (const model of ['starter', 'far']) {
    const { data, request_id } = await anthropic.messages.create({ ...ask, model, stream: true }).withResponse()
    for await (const event of data) if (event.type === 'content_block_delta') break
    const row = await until('the request was in the books', async () =>
      parseExport(await near.cli('books', 'export')).requests.find(({ id }) => id === request_id),
    )
    assert(['client_closed', 'complete'].includes(row.outcome))
  }
  for (const factory of [near, far]) {
    const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as { conserved: boolean }
    assert.equal(check.conserved, true)
  }
})
