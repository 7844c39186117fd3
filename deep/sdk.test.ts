import assert from 'node:assert/strict'
import { copyFileSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { createKey, discard, engineCount, starterFile } from './factory.ts'

const messages = [{ role: 'user' as const, content: 'My card has not arrived yet, where is it?' }]
const ask = { model: 'starter', messages, temperature: 0, max_tokens: 40 }

let factory: Factory
let key: string
let openai: OpenAI

before(async () => {
  factory = await startFactory()
  key = await createKey(factory)
  openai = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: key, maxRetries: 0 })
})
after(() => discard(factory))

/** What OpenAI's usage says, in the engine's classes. */
const classes = (usage: OpenAI.CompletionUsage | null | undefined) => {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0
  return {
    input_uncached: (usage?.prompt_tokens ?? 0) - cached,
    cache_read: cached,
    output: usage?.completion_tokens,
  }
}

test('openai: the models that can be asked for', async () => {
  const models = await Array.fromAsync(openai.models.list())
  assert(models.some((model) => model.id === 'starter'))
})

test("openai: an answer, whose usage is the engine's own count", async () => {
  const { data, request_id } = await openai.chat.completions.create(ask).withResponse()
  assert(request_id)
  assert.equal(data.object, 'chat.completion')
  assert(data.choices[0]?.message.content, 'an answer has content')
  assert(['stop', 'length'].includes(String(data.choices[0]?.finish_reason)))
  assert.deepEqual(classes(data.usage), engineCount(factory, request_id))
})

test('openai: the same answer streamed, with the same right to a usage', async () => {
  const whole = await openai.chat.completions.create(ask)
  const { data: stream, request_id } = await openai.chat.completions
    .create({ ...ask, stream: true, stream_options: { include_usage: true } })
    .withResponse()
  let [content, chunks] = ['', 0]
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
    chunks++
  }
  assert.equal(content, whole.choices[0]?.message.content)
  assert(chunks > 3, `${chunks} chunks are no stream`)
  assert(request_id)
  assert.deepEqual(classes(usage), engineCount(factory, request_id))
})

test('openai: errors have their class, code and request id', async () => {
  const stranger = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: 'wm-not-a-key', maxRetries: 0 })
  const long = [{ role: 'user' as const, content: 'where is my card '.repeat(5_000) }]
  const create = (more: object, client = openai) => client.chat.completions.create({ ...ask, ...more })
  const cases = [
    [() => create({ model: 'nobody' }), OpenAI.NotFoundError, 'model_not_found'],
    [() => create({}, stranger), OpenAI.AuthenticationError, 'invalid_api_key'],
    [() => create({ messages: long }), OpenAI.BadRequestError, 'context_length_exceeded'],
    [() => create({ messages: [] }), OpenAI.BadRequestError, 'invalid_value'],
  ] as const
  for (const [call, type, code] of cases) {
    const error = await call().then(
      () => assert.fail(`${code}: no error`),
      (thrown: unknown) => thrown,
    )
    assert(error instanceof type, `${code}: ${error}`)
    assert.equal(error.code, code)
    assert(error.requestID, `${code} has a request id`)
  }
})

const provider = () =>
  createOpenAICompatible({ name: 'wattmill', baseURL: `${factory.base}/v1`, apiKey: key, includeUsage: true })
const prompt = { prompt: messages[0]?.content ?? '', temperature: 0, maxOutputTokens: 40, maxRetries: 0 }

test("ai: a text, whose usage is the engine's own count", async () => {
  const { text, usage, response } = await generateText({ model: provider()('starter'), ...prompt })
  assert(text.length > 0)
  const count = engineCount(factory, response.headers?.['x-request-id'] ?? '')
  assert.equal(usage.inputTokens, count.input_uncached + count.cache_read)
  assert.equal(usage.outputTokens, count.output)
})

test('ai: the same text streamed', async () => {
  const whole = await generateText({ model: provider()('starter'), ...prompt })
  const result = streamText({ model: provider()('starter'), ...prompt })
  const parts = await Array.fromAsync(result.textStream)
  assert.equal(parts.join(''), whole.text)
  const usage = await result.usage
  const { headers } = await result.response
  const count = engineCount(factory, headers?.['x-request-id'] ?? '')
  assert.equal(usage.inputTokens, count.input_uncached + count.cache_read)
  assert.equal(usage.outputTokens, count.output)
})

test("a user's own GGUF is served beside the starter", async () => {
  const mine = join(factory.home, 'mine.gguf')
  copyFileSync(starterFile(), mine)
  await factory.cli('models', 'add', mine)
  const [own, starter] = await Promise.all([
    openai.chat.completions.create({ ...ask, model: 'mine' }),
    openai.chat.completions.create(ask),
  ])
  assert.equal(own.choices[0]?.message.content, starter.choices[0]?.message.content)
  assert.equal(own.usage?.completion_tokens, starter.usage?.completion_tokens)
  assert.equal(globSync('*.gguf', { cwd: factory.home }).length, 1, 'the file stays where its owner put it')
})
