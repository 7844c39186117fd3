import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { parseExport } from '../bench/audit/read.ts'
import type { bookClasses } from '../bench/audit/records.ts'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { ran, type Surface } from '../bench/matrix/record.ts'
import { writeTinyModel } from '../src/adapters/llama/testing.ts'
import { DIMENSIONS, writeTinyBert } from '../src/adapters/llama/testing-embedder.ts'
import { createKey, discard, starterFile } from './factory.ts'
import { counters, type ForeignEngine, foreignEngine, without } from './foreign.ts'

const skip = without
let factory: Factory
let openai: OpenAI
let engine: ForeignEngine
let endless: ForeignEngine
let embedder: ForeignEngine

before(async () => {
  if (skip) return
  factory = await startFactory()
  ;[engine, endless, embedder] = await Promise.all([
    foreignEngine(starterFile(), 'far'),
    foreignEngine(
      writeTinyModel(join(factory.home, 'endless.gguf'), { next: () => 5 + 'x'.charCodeAt(0), context: 32768 }),
      'endless',
      { context: 65536 },
    ),
    foreignEngine(writeTinyBert(join(factory.home, 'bert.gguf')), 'vectors', { kind: 'embeddings' }),
  ])
  for (const [name, { url }] of Object.entries({ far: engine, endless, vectors: embedder }))
    await factory.cli('engines', 'add', name, '--preset', 'llama-server', '--url', url)
  openai = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: await createKey(factory), maxRetries: 0 })
})
after(async () => {
  if (skip) return
  for (const one of [engine, endless, embedder]) one?.process.kill('SIGKILL')
  await discard(factory)
})

const real = (...surfaces: Surface[]): void => {
  const what = `llama.cpp server, xllamacpp ${engine.version}`
  for (const surface of surfaces) ran({ engine: 'llama.cpp', surface, how: 'real', what })
}

const ask = {
  model: 'far',
  messages: [{ role: 'user' as const, content: 'I was charged twice for the same thing' }],
  temperature: 0,
  max_tokens: 30,
}

interface Probed {
  readonly found: readonly string[]
  readonly metrics: { readonly kind: string; readonly report: Readonly<Record<string, number>> } | null
  readonly survey: {
    readonly at_most: { readonly requests: number; readonly input_tokens: number; readonly output_tokens: number }
    readonly spent: { readonly requests: number; readonly input_tokens: number; readonly output_tokens: number }
    readonly findings: readonly { readonly check: string; readonly saw: string }[]
    readonly differences: readonly unknown[]
  }
}

test('engines probe: what the real server does is what its preset says, and costs no more than was said', {
  skip,
}, async () => {
  const before = await counters(engine)
  const probed = JSON.parse(await factory.cli('engines', 'probe', 'far', '-o', 'json')) as Probed
  assert.deepEqual([probed.found, probed.metrics?.kind, probed.survey.differences], [['far'], 'llama.cpp', []])
  const saw = Object.fromEntries(probed.survey.findings.map((one) => [one.check, one.saw]))
  assert.deepEqual(
    [saw.stream_usage, saw.cached, saw.max_tokens, saw.json_schema, saw.embeddings, saw.unknown_model],
    ['on_request', 'usage.prompt_tokens_details.cached_tokens', 'yes', 'yes', 'refused', 'ignored'],
    JSON.stringify(probed.survey.findings),
  )
  const after = await counters(engine)
  const { at_most, spent } = probed.survey
  const [input, output] = [
    after.uncached + after.cached - before.uncached - before.cached,
    after.output - before.output,
  ]
  assert(input > 0 && input <= at_most.input_tokens, `${input} of at most ${at_most.input_tokens} tokens in`)
  assert(output > 0 && output <= at_most.output_tokens, `${output} of at most ${at_most.output_tokens} tokens out`)
  assert(spent.requests <= at_most.requests && spent.input_tokens <= input && spent.output_tokens <= output)
  const page = (JSON.parse(await factory.cli('engines', 'probe', 'far', '--free', '-o', 'json')) as Probed).metrics
    ?.report
  assert.deepEqual(
    [page?.prompt_tokens, page?.output_tokens, page?.prefix_hits, page?.prefix_queries],
    [after.uncached, after.output, after.cached, after.uncached + after.cached],
  )
  real('metrics page')
})

test('openai, whole and streamed: the same text, with the usage that the engine counted', { skip }, async () => {
  const whole = await openai.chat.completions.create(ask)
  const stream = await openai.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } })
  let [content, usage] = ['', undefined as OpenAI.CompletionUsage | undefined]
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  assert(content.length > 0)
  assert.equal(content, whole.choices[0]?.message.content)
  assert.equal(usage?.prompt_tokens, whole.usage?.prompt_tokens)
  assert.equal(usage?.completion_tokens, whole.usage?.completion_tokens)
  assert((usage?.prompt_tokens_details?.cached_tokens ?? 0) > 0, 'the second time the prompt was cached')
  real('chat', 'chat stream', 'usage in streams', 'cached tokens')
})

test('openai: limits, stop strings, n, log-probabilities, a schema', { skip }, async () => {
  const short = await openai.chat.completions.create({ ...ask, max_tokens: null, max_completion_tokens: 1 })
  assert.equal(short.choices[0]?.finish_reason, 'length')
  assert.equal(short.usage?.completion_tokens, 1)

  const stopped = await openai.chat.completions.create({ ...ask, stop: ['confidence'] })
  assert(stopped.choices[0]?.message.content && !stopped.choices[0].message.content.includes('confidence'))

  const two = await openai.chat.completions.create({ ...ask, n: 2 })
  assert.equal(two.choices.length, 2)

  const likely = await openai.chat.completions.create({ ...ask, logprobs: true, top_logprobs: 3 })
  assert.equal(likely.choices[0]?.logprobs?.content?.[0]?.top_logprobs.length, 3)

  const schema = {
    type: 'object',
    properties: { answer: { enum: ['yes', 'no'] } },
    required: ['answer'],
    additionalProperties: false,
  }
  const kept = await openai.chat.completions.create({
    ...ask,
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
  })
  assert(['yes', 'no'].includes((JSON.parse(kept.choices[0]?.message.content ?? '') as { answer: string }).answer))

  const text = await openai.completions.create({ model: 'far', prompt: 'I lost', max_tokens: 2, temperature: 0 })
  assert.equal(text.usage?.completion_tokens, 2)
  real('limit of output', 'stop', 'n', 'logprobs', 'JSON schema', 'completions')
})

test('openai: embeddings of a second real server', { skip }, async () => {
  const { data, usage } = await openai.embeddings.create({ model: 'vectors', input: ['lost', 'card'] })
  assert.deepEqual(
    data.map(({ embedding }) => embedding.length),
    [DIMENSIONS, DIMENSIONS],
  )
  assert(usage.prompt_tokens > 0)
  real('embeddings')
})

test('what the engine refuses is told as its own words say', { skip }, async () => {
  const thrown = (more: object): Promise<unknown> =>
    openai.chat.completions.create({ ...ask, ...more }).then(
      () => assert.fail('no error'),
      (error: unknown) => error,
    )
  const long = await thrown({ messages: [{ role: 'user', content: 'where is my card '.repeat(500) }] })
  assert(long instanceof OpenAI.BadRequestError, String(long))
  assert.equal(long.code, 'context_length_exceeded')
  const odd = await thrown({
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 7 } } },
  })
  assert(odd instanceof OpenAI.BadRequestError, String(odd))
  assert.equal(odd.code, 'engine_refused')
  real('errors')
})

test('the books hold what the engine counted, token for token', { skip }, async () => {
  await settled()
  const [was, already] = [await counters(engine), sums()]
  const prompts = [
    'My card is lost',
    'My card is lost, and my phone',
    'What is the exchange rate?',
    'Why was I charged?',
  ]
  for (const stream of [false, true])
    await Promise.all(
      prompts.map(async (content) => {
        const answer = await openai.chat.completions.create({ ...ask, messages: [{ role: 'user', content }], stream })
        if (Symbol.asyncIterator in answer) for await (const _ of answer);
      }),
    )
  await settled()
  const [is, booked] = [await counters(engine), sums()]
  assert(is.output > was.output && is.cached > was.cached)
  assert.deepEqual(
    {
      uncached: booked.uncached - already.uncached,
      cached: booked.cached - already.cached,
      output: booked.output - already.output,
    },
    { uncached: is.uncached - was.uncached, cached: is.cached - was.cached, output: is.output - was.output },
  )
  real('books = its counters')
})

test('an engine that is killed amid a stream: an error, never half an answer as a whole one', { skip }, async () => {
  const stream = await openai.chat.completions.create({ ...ask, model: 'endless', max_tokens: 30_000, stream: true })
  let content = ''
  await assert.rejects(async () => {
    for await (const chunk of stream) {
      if (content === '') endless.process.kill('SIGKILL')
      content += chunk.choices[0]?.delta.content ?? ''
    }
  }, /broke off|stream_truncated|ended without/)
  assert(content.length > 0 && content.length < 30_000)
  real('broken stream')
})

test('the books are conserved after all of it', { skip }, async () => {
  const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as { conserved: boolean }
  assert.equal(check.conserved, true)
})

let exported = ''

/** Waits until all that was asked is in the books: twice the same number of requests, none under way. */
const settled = async (): Promise<void> => {
  let count = -1
  await until('the books stood still', async () => {
    exported = await factory.cli('books', 'export')
    const now = parseExport(exported).requests.length
    const same = now === count
    count = now
    return same || undefined
  })
}

/** What the books hold of the engine's requests. */
function sums(): { uncached: number; cached: number; output: number } {
  const usages = parseExport(exported).requests.flatMap(({ attempts }) =>
    attempts.flatMap(({ replica, usage }) => (replica === 'far' && usage ? [usage] : [])),
  )
  const sum = (...of: (typeof bookClasses)[number][]): number =>
    usages.reduce((total, usage) => total + of.reduce((all, one) => all + (usage[one]?.tokens ?? 0), 0), 0)
  return { uncached: sum('input_uncached'), cached: sum('cache_read'), output: sum('output_visible', 'reasoning') }
}
