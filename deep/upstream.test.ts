import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { parseExport } from '../bench/audit/read.ts'
import type { bookClasses, RequestRecord } from '../bench/audit/records.ts'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { createKey, discard } from './factory.ts'

let near: Factory
let far: Factory
let openai: OpenAI

before(async () => {
  ;[near, far] = await Promise.all([startFactory(), startFactory()])
  const secret = join(near.home, 'far.key')
  writeFileSync(secret, await createKey(far), { mode: 0o600 })
  await near.cli(
    'engines',
    'add',
    'second',
    '--url',
    `${far.base}/v1`,
    '--key-from',
    `file:${secret}`,
    '--model',
    'far=starter',
  )
  openai = new OpenAI({ baseURL: `${near.base}/v1`, apiKey: await createKey(near), maxRetries: 0 })
})
after(() => Promise.all([discard(near), discard(far)]))

const ask = {
  model: 'far',
  messages: [{ role: 'user' as const, content: 'I was charged twice' }],
  temperature: 0,
  max_tokens: 30,
}

/** Settled requests of a factory, once there are so many. */
const settled = (factory: Factory, count: number): Promise<readonly RequestRecord[]> =>
  until(`${count} requests were in the books`, async () => {
    const { requests } = parseExport(await factory.cli('books', 'export'))
    return requests.length >= count ? requests : undefined
  })

/** Prompt and output, whatever their classes: a cache is the far factory's own matter. */
function sums(request: RequestRecord): { input: number; output: number } {
  const usage = request.attempts.at(-1)?.usage
  const sum = (...of: (typeof bookClasses)[number][]) =>
    of.reduce((total, one) => total + (usage?.[one]?.tokens ?? 0), 0)
  return { input: sum('input_uncached', 'cache_read', 'cache_write'), output: sum('output_visible', 'reasoning') }
}

test('a second factory serves as upstream of the first, and both books say the same', async () => {
  const whole = await openai.chat.completions.create(ask)
  assert(whole.choices[0]?.message.content)

  const stream = await openai.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } })
  let [content, usage] = ['', undefined as OpenAI.CompletionUsage | undefined]
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  assert.equal(content, whole.choices[0]?.message.content)

  const [nearRows, farRows] = await Promise.all([settled(near, 2), settled(far, 2)])
  const answers = [whole.usage, usage].map((one) => ({ input: one?.prompt_tokens, output: one?.completion_tokens }))
  const bySize = (rows: object[]) => rows.map((row) => JSON.stringify(row)).sort()
  assert.deepEqual(bySize(nearRows.map(sums)), bySize(answers))
  assert.deepEqual(bySize(farRows.map(sums)), bySize(answers))
  assert(nearRows.every((row) => row.outcome === 'complete' && row.attempts[0]?.replica === 'second'))
  assert(farRows.every((row) => row.outcome === 'complete' && row.attempts[0]?.replica === 'embedded'))
})

test('an error of the upstream is told as one, and its key is in no answer', async () => {
  const long = [{ role: 'user' as const, content: 'where is my card '.repeat(5_000) }]
  const error = await openai.chat.completions.create({ ...ask, messages: long }).then(
    () => assert.fail('no error'),
    (thrown: unknown) => thrown,
  )
  assert(error instanceof OpenAI.BadRequestError, String(error))
  assert.equal(error.code, 'context_length_exceeded')
  assert(!JSON.stringify(error.error).includes('wm-'))
})

test('the books of both are conserved', async () => {
  for (const factory of [near, far]) {
    const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as { conserved: boolean }
    assert.equal(check.conserved, true)
  }
})
