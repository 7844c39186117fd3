import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, Output, streamText } from 'ai'
import OpenAI from 'openai'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { createKey, discard, engineCount } from './factory.ts'

const input = 'My card has not arrived yet, where is it?'
const ask = { model: 'starter', input, temperature: 0, max_output_tokens: 40 }

let factory: Factory
let key: string
let openai: OpenAI

before(async () => {
  factory = await startFactory()
  key = await createKey(factory)
  openai = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: key, maxRetries: 0 })
})
after(() => discard(factory))

const counted = (usage: OpenAI.Responses.ResponseUsage | undefined) => {
  const { cached_tokens } = usage?.input_tokens_details ?? { cached_tokens: 0 }
  return {
    input_uncached: (usage?.input_tokens ?? 0) - cached_tokens,
    cache_read: cached_tokens,
    output: usage?.output_tokens,
  }
}

test("openai: a response, whose usage is the engine's own count", async () => {
  const { data, request_id } = await openai.responses.create(ask).withResponse()
  assert(request_id)
  assert.equal(data.object, 'response')
  assert(data.output_text.length > 0)
  assert(['completed', 'incomplete'].includes(String(data.status)))
  assert.deepEqual(counted(data.usage), engineCount(factory, request_id))
  const chat = await openai.chat.completions.create({
    model: 'starter',
    messages: [{ role: 'user', content: input }],
    temperature: 0,
    max_tokens: 40,
  })
  assert.equal(data.output_text, chat.choices[0]?.message.content, 'the same answer as in chat')
})

test('openai: the stream helper rebuilds the same response from its events', async () => {
  const whole = await openai.responses.create(ask)
  const stream = openai.responses.stream(ask)
  const types: string[] = []
  let text = ''
  for await (const event of stream) {
    types.push(event.type)
    assert.equal(event.sequence_number, types.length - 1)
    if (event.type === 'response.output_text.delta') text += event.delta
  }
  const final = await stream.finalResponse()
  assert.equal(text, whole.output_text)
  assert.equal(final.output_text, whole.output_text)
  assert.deepEqual([types[0], types.at(-1)], ['response.created', `response.${final.status}`])
  assert(types.filter((type) => type === 'response.output_text.delta').length > 1, `${types} is no stream`)
  assert.equal(final.usage?.output_tokens, whole.usage?.output_tokens)
})

test('openai: kept, gone on from, listed, deleted; another tenant finds nothing', async () => {
  const first = await openai.responses.create({ ...ask, instructions: 'answer' })
  assert.deepEqual(await openai.responses.retrieve(first.id), first)
  const second = await openai.responses.create({ ...ask, input: 'and now?', previous_response_id: first.id })
  assert.equal(second.previous_response_id, first.id)
  const items = await Array.fromAsync(openai.responses.inputItems.list(second.id))
  assert.deepEqual(
    items.map((item) => item.type),
    ['message'],
  )
  const other = JSON.parse(await factory.cli('keys', 'create', '--tenant', 'u', '--app', 'b', '-o', 'json')) as {
    key: string
  }
  const stranger = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: other.key, maxRetries: 0 })
  await assert.rejects(stranger.responses.retrieve(first.id), OpenAI.NotFoundError)
  await assert.rejects(stranger.responses.create({ ...ask, previous_response_id: first.id }), OpenAI.NotFoundError)
  await openai.responses.delete(first.id)
  await assert.rejects(openai.responses.retrieve(first.id), OpenAI.NotFoundError)
  const secret = await openai.responses.create({ ...ask, store: false })
  await assert.rejects(openai.responses.retrieve(secret.id), OpenAI.NotFoundError)
})

test('openai: JSON by a schema, parsed by the SDK; at the limit it says why it is incomplete', async () => {
  const schema = { type: 'object', properties: { intent: { enum: ['yes', 'no'] } }, required: ['intent'] }
  const format = { type: 'json_schema' as const, name: 'intent', schema, strict: true }
  const shaped = await openai.responses.create({ ...ask, text: { format } })
  assert(['yes', 'no'].includes(JSON.parse(shaped.output_text).intent))
  const short = await openai.responses.create({ ...ask, max_output_tokens: 2 })
  assert.deepEqual([short.status, short.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }])
})

test('openai: errors have their class, code and place', async () => {
  const cases = [
    [{ model: 'nobody' }, OpenAI.NotFoundError, 'model_not_found', 'model'],
    [{ previous_response_id: 'resp_none' }, OpenAI.NotFoundError, 'response_not_found', 'previous_response_id'],
    [{ background: true }, OpenAI.BadRequestError, 'unsupported_parameter', 'background'],
    [{ input: 'where is my card '.repeat(5_000) }, OpenAI.BadRequestError, 'context_length_exceeded', null],
  ] as const
  for (const [more, type, code, param] of cases) {
    const error = await openai.responses.create({ ...ask, ...more }).then(
      () => assert.fail(`${code}: no error`),
      (thrown: unknown) => thrown,
    )
    assert(error instanceof type, `${code}: ${error}`)
    assert.deepEqual([error.code, error.param], [code, param])
  }
})

/** What the SDK sent. */
const sent: string[] = []
const model = () =>
  createOpenAI({
    baseURL: `${factory.base}/v1`,
    apiKey: key,
    fetch: (url, init) => {
      sent.push(String(init?.body))
      return fetch(url, init)
    },
  })('starter')
const prompt = { prompt: input, temperature: 0, maxOutputTokens: 40, maxRetries: 0 }

test('ai: its default model of OpenAI speaks Responses: a text, whole and streamed', async () => {
  const whole = await generateText({ model: model(), ...prompt })
  assert(whole.text.length > 0)
  const count = engineCount(factory, whole.response.headers?.['x-request-id'] ?? '')
  assert.equal(whole.usage.inputTokens, count.input_uncached + count.cache_read)
  assert.equal(whole.usage.outputTokens, count.output)
  const streamed = streamText({ model: model(), ...prompt })
  const parts = await Array.fromAsync(streamed.textStream)
  assert.equal(parts.join(''), whole.text)
  assert(parts.length > 1, `${parts.length} parts are no stream`)
  assert.equal((await streamed.usage).outputTokens, count.output)
})

test('ai: a conversation in which it names earlier items by their ids', async () => {
  const first = await generateText({ model: model(), ...prompt })
  const { prompt: _, ...settings } = prompt
  const { text } = await generateText({
    model: model(),
    ...settings,
    messages: [{ role: 'user', content: input }, ...first.response.messages, { role: 'user', content: 'and now?' }],
  })
  assert(text.length > 0)
  assert(sent.at(-1)?.includes('item_reference'), 'what it sent holds no reference')
})

test('ai: an object by a schema', async () => {
  const schema = jsonSchema<{ intent: string }>({
    type: 'object',
    properties: { intent: { type: 'string', enum: ['yes', 'no'] } },
    required: ['intent'],
    additionalProperties: false,
  })
  const { output } = await generateText({ model: model(), ...prompt, output: Output.object({ schema }) })
  assert(['yes', 'no'].includes(output.intent))
})
