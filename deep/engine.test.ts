import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateObject, generateText, jsonSchema, tool } from 'ai'
import OpenAI from 'openai'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { ran, type Surface } from '../bench/matrix/record.ts'
import { DIMENSIONS, writeTinyBert } from '../src/adapters/llama/testing-embedder.ts'
import { writeCaller } from './caller.ts'
import { createKey, discard, engineCount } from './factory.ts'

/** The embedded engine's cells of `npm run matrix`. */
const real = (...surfaces: Surface[]): void => {
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../node_modules/node-llama-cpp/package.json'), 'utf8'),
  ) as {
    version: string
  }
  for (const surface of surfaces) ran({ engine: 'embedded', surface, how: 'real', what: `node-llama-cpp ${version}` })
}

let factory: Factory
let openai: OpenAI
let key: string

before(async () => {
  factory = await startFactory()
  key = await createKey(factory)
  openai = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: key, maxRetries: 0 })
  await factory.cli('models', 'add', writeCaller(join(factory.home, 'caller.gguf')))
  await factory.cli('models', 'add', writeTinyBert(join(factory.home, 'embedder.gguf')))
})
after(() => discard(factory))

const lost = [{ role: 'user' as const, content: 'I lost my card' }]

test('openai: log-probabilities, in both APIs', async () => {
  const chat = await openai.chat.completions.create({
    model: 'starter',
    messages: lost,
    temperature: 0,
    logprobs: true,
    top_logprobs: 5,
  })
  const tokens = chat.choices[0]?.logprobs?.content ?? []
  assert.equal(tokens.map(({ token }) => token).join(''), chat.choices[0]?.message.content)
  assert.equal(tokens[0]?.top_logprobs.length, 5)
  assert.equal(tokens[0]?.logprob, tokens[0]?.top_logprobs[0]?.logprob)
  const text = await openai.completions.create({
    model: 'starter',
    prompt: 'x',
    max_tokens: 4,
    logprobs: 2,
    temperature: 0,
  })
  const lists = text.choices[0]?.logprobs
  assert.equal(lists?.tokens?.join(''), text.choices[0]?.text)
  assert.equal(lists?.token_logprobs?.length, lists?.tokens?.length)
  real('chat', 'logprobs', 'completions')
})

const schema = {
  type: 'object' as const,
  properties: {
    intent: { enum: ['lost_or_stolen_card', 'other'] },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
  },
  required: ['intent', 'confidence'],
  additionalProperties: false as const,
}

test('openai: an answer that keeps to a schema, streamed', async () => {
  const { data: stream, request_id } = await openai.chat.completions
    .create({
      model: 'starter',
      messages: lost,
      stream: true,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
    })
    .withResponse()
  let content = ''
  for await (const chunk of stream) content += chunk.choices[0]?.delta.content ?? ''
  const answer = JSON.parse(content) as { intent: string; confidence: number }
  assert(['lost_or_stolen_card', 'other'].includes(answer.intent) && answer.confidence <= 1, content)
  assert(engineCount(factory, request_id ?? '').output > 0)
  real('chat stream', 'JSON schema')
})

test('ai: an object', async () => {
  const provider = createOpenAICompatible({
    name: 'wattmill',
    baseURL: `${factory.base}/v1`,
    apiKey: key,
    supportsStructuredOutputs: true,
  })
  const { object } = await generateObject({
    model: provider('starter'),
    prompt: 'I lost my card',
    schema: jsonSchema<{ intent: string }>(schema),
    maxRetries: 0,
  })
  assert(['lost_or_stolen_card', 'other'].includes(object.intent))
})

const parameters = {
  type: 'object' as const,
  properties: { city: { enum: ['Bonn', 'Köln'] }, days: { type: 'integer', minimum: 1, maximum: 7 } },
  required: ['city', 'days'],
  additionalProperties: false as const,
}
const tools: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'weather', parameters, strict: true } },
]
const ask = { model: 'caller', messages: [{ role: 'user' as const, content: 'Rain?' }], temperature: 0, tools }

test('openai: a tool is called, its result told back, streamed and whole', async () => {
  const whole = await openai.chat.completions.create(ask)
  assert.equal(whole.choices[0]?.finish_reason, 'tool_calls')
  const [call] = whole.choices[0]?.message.tool_calls ?? []
  assert(call?.type === 'function' && call.function.name === 'weather')
  const given = JSON.parse(call.function.arguments) as { city: string; days: number }
  assert(['Bonn', 'Köln'].includes(given.city) && given.days >= 1 && given.days <= 7)

  const runner = openai.chat.completions.stream(ask)
  const final = await runner.finalChatCompletion()
  const [streamed] = final.choices[0]?.message.tool_calls ?? []
  assert(streamed?.type === 'function')
  assert.equal(streamed.function.arguments, call.function.arguments)
  assert.notEqual(streamed.id, call.id)

  const message = whole.choices[0]?.message
  assert(message)
  const { data: after, request_id } = await openai.chat.completions
    .create({ ...ask, messages: [...ask.messages, message, { role: 'tool', tool_call_id: call.id, content: 'no' }] })
    .withResponse()
  assert.equal(after.usage?.completion_tokens, engineCount(factory, request_id ?? '').output)
  real('tools', 'tools stream')
})

test('openai: the starter has no tools, and says so', async () => {
  const error = await openai.chat.completions.create({ ...ask, model: 'starter' }).then(
    () => assert.fail('no error'),
    (thrown: unknown) => thrown,
  )
  assert(error instanceof OpenAI.BadRequestError)
  assert.equal(error.code, 'unsupported_parameter')
})

test('ai: a tool is run, and its result goes back', async () => {
  const provider = createOpenAICompatible({ name: 'wattmill', baseURL: `${factory.base}/v1`, apiKey: key })
  const asked: unknown[] = []
  const { toolResults } = await generateText({
    model: provider('caller'),
    prompt: 'Rain?',
    temperature: 0,
    maxRetries: 0,
    tools: {
      weather: tool({
        inputSchema: jsonSchema<{ city: string }>(parameters),
        execute: (input) => {
          asked.push(input)
          return Promise.resolve('no rain')
        },
      }),
    },
  })
  assert.equal(asked.length, 1)
  assert.equal(toolResults[0]?.output, 'no rain')
})

test('openai: embeddings, as it asks for them itself (base64) and as floats; billed for what went in', async () => {
  const ask = { model: 'embedder', input: ['lost card', 'card lost', 'exchange rate'] }
  const { data: packed, request_id } = await openai.embeddings.create(ask).withResponse()
  const floats = await openai.embeddings.create({ ...ask, encoding_format: 'float' })
  assert.equal(packed.data.length, 3)
  for (const [at, { embedding }] of packed.data.entries()) {
    assert.equal(embedding.length, DIMENSIONS)
    assert.deepEqual([...embedding], floats.data[at]?.embedding)
  }
  const { input_uncached, output } = engineCount(factory, request_id ?? '')
  assert.deepEqual([packed.usage.prompt_tokens, 0], [input_uncached, output])
  const error = await openai.embeddings.create({ ...ask, model: 'starter' }).then(
    () => assert.fail('no error'),
    (thrown: unknown) => thrown,
  )
  assert(error instanceof OpenAI.BadRequestError && error.code === 'unsupported_parameter')
  real('embeddings', 'errors')
})

test('billed and waste are what the engine made, for all of that', async () => {
  const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as {
    conserved: boolean
    engine: { residual: string }
  }
  assert.equal(check.conserved, true)
  assert.equal(check.engine.residual, '0')
  real('books = its counters')
})
