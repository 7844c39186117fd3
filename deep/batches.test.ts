import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import OpenAI, { toFile } from 'openai'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { createKey, discard, engineCount } from './factory.ts'

let factory: Factory
let openai: OpenAI

before(async () => {
  factory = await startFactory()
  openai = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: await createKey(factory), maxRetries: 0 })
})
after(() => discard(factory))

const ask = (custom_id: string, content: string, more: object = {}): string =>
  JSON.stringify({
    custom_id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'starter', messages: [{ role: 'user', content }], temperature: 0, max_tokens: 20, ...more },
  })

async function handIn(lines: readonly string[]): Promise<OpenAI.Batch> {
  const file = await openai.files.create({
    file: await toFile(Buffer.from(lines.join('\n')), 'asks.jsonl'),
    purpose: 'batch',
  })
  return openai.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { run: 'deep' },
  })
}

async function over(batch: OpenAI.Batch): Promise<OpenAI.Batch> {
  for (let tries = 0; tries < 300; tries++, await setTimeout(100)) {
    const now = await openai.batches.retrieve(batch.id)
    if (['completed', 'failed', 'expired', 'cancelled'].includes(now.status)) return now
  }
  throw new Error('the batch never ended')
}

const linesOf = async (file: string | undefined): Promise<{ custom_id: string; response: Answer }[]> => {
  const text = await (await openai.files.content(file ?? '')).text()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
interface Answer {
  readonly status_code: number
  readonly request_id: string
  readonly body: OpenAI.ChatCompletion
}

test("openai: a file, a batch of it, its end, and each answer with the engine's own count", async () => {
  const count = 12
  const lines = Array.from({ length: count }, (_, n) => ask(`line-${n}`, `My card number ${n} has not arrived`))
  const made = await handIn([...lines, ask('wrong', 'hello', { top_k: 'many' })])
  assert.deepEqual([made.object, made.status, made.metadata?.run], ['batch', 'validating', 'deep'])
  const batch = await over(made)
  assert.equal(batch.status, 'completed', JSON.stringify(batch))
  assert.deepEqual(batch.request_counts, { total: count + 1, completed: count, failed: 1 })

  const answers = await linesOf(batch.output_file_id)
  assert.deepEqual(new Set(answers.map(({ custom_id }) => custom_id)), new Set(lines.map((_, n) => `line-${n}`)))
  for (const { response } of answers) {
    assert(response.body.choices[0]?.message.content)
    assert.equal(response.body.usage?.completion_tokens, engineCount(factory, response.request_id).output)
  }
  const [wrong] = await linesOf(batch.error_file_id)
  assert.deepEqual([wrong?.custom_id, wrong?.response.status_code], ['wrong', 400])

  const shown = JSON.parse(await factory.cli('batches', 'show', batch.id, '-o', 'json'))
  assert.deepEqual([shown.status, shown.completed, shown.output_file], ['completed', count, batch.output_file_id])
})

test('openai: files and batches are listed over pages, cancelled, deleted, and missing as the library expects', async () => {
  const batches = [await handIn([ask('a', 'x')]), await handIn([ask('a', 'x')]), await handIn([ask('a', 'x')])]
  const listed = await Array.fromAsync(openai.batches.list({ limit: 1 }))
  for (const { id } of batches) assert(listed.some((batch) => batch.id === id))
  const files = await Array.fromAsync(openai.files.list({ limit: 2, purpose: 'batch' }))
  assert(files.length >= 3 && new Set(files.map(({ id }) => id)).size === files.length)

  const many = await handIn(Array.from({ length: 500 }, (_, n) => ask(`l${n}`, `Where is card ${n}?`)))
  assert.equal((await openai.batches.cancel(many.id)).status, 'cancelling')
  const cancelled = await over(many)
  assert.equal(cancelled.status, 'cancelled')
  assert((cancelled.request_counts?.completed ?? 0) < 500)

  assert.equal((await openai.files.delete(many.input_file_id)).deleted, true)
  await assert.rejects(openai.files.retrieve(many.input_file_id), OpenAI.NotFoundError)
  await assert.rejects(openai.batches.cancel(many.id), OpenAI.ConflictError)
  const bad = await handIn(['{"custom_id": "x"'])
  const failed = await over(bad)
  assert.deepEqual([failed.status, failed.errors?.data?.[0]?.line], ['failed', 1])
})

test("a batch costs its class's price, a late first token gives back what its price promises, and the books add up", async () => {
  const price = (...more: string[]) => factory.cli('prices', 'set', 'starter', ...more)
  await price('--input', '0.025', '--output', '0.10', '--slo', 'batch')
  const admin = readFileSync(join(factory.home, 'admin.key'), 'utf8').trim()
  const promised = {
    model: 'starter',
    input: '0.05',
    output: '0.20',
    slo: 'interactive',
    refund_percent: 40,
    refund_ttft_s: 0.001,
  }
  const set = await fetch(`${factory.base}/api/prices`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify(promised),
  })
  assert.equal(set.status, 200)

  const batch = await over(await handIn([ask('a', 'Where is my card?')]))
  const [line] = await linesOf(batch.output_file_id)
  const stream = await openai.chat.completions
    .create({
      model: 'starter',
      messages: [{ role: 'user', content: 'My card has not arrived' }],
      max_tokens: 20,
      stream: true,
      service_tier: 'priority',
    })
    .withResponse()
  for await (const _ of stream.data);
  const receipt = async (id: string): Promise<Receipt> => {
    for (let tries = 0; tries < 100; tries++, await setTimeout(100)) {
      const found = await factory.cli('books', 'receipt', id, '-o', 'json').then(JSON.parse, () => undefined)
      if (found?.state === 'settled') return found
    }
    throw new Error(`${id} was never booked`)
  }
  const [cheap, late] = [await receipt(line?.response.request_id ?? ''), await receipt(stream.request_id ?? '')]
  assert.deepEqual(
    [cheap.price.slo, cheap.price.usd_per_million.output_visible, cheap.refund_usd],
    ['batch', '0.1', '0'],
  )
  const nano = (usd: string): number => Math.round(Number(usd) * 1e9)
  const charged = late.attempts
    .flatMap(({ charges_usd }) => Object.values(charges_usd))
    .reduce((sum, usd) => sum + nano(usd), 0)
  assert.equal(late.price.slo, 'interactive')
  assert.equal(nano(late.refund_usd), Math.floor((charged * 40 + 50) / 100))
  assert.equal(nano(late.cost_usd), charged - nano(late.refund_usd))

  const statement = JSON.parse(await factory.cli('books', 'statement', '--tenant', 't', '-o', 'json'))
  assert(statement.lines.some(({ slo }: { slo: string | null }) => slo === 'batch'))
  assert.deepEqual(
    statement.refunds.map(({ slo, requests, usd }: { slo: string; requests: number; usd: string }) => [
      slo,
      requests,
      usd,
    ]),
    [['interactive', 1, late.refund_usd]],
  )
  const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json'))
  assert.deepEqual([check.conserved, check.units['nano-USD'].residual], [true, '0'])
})

interface Receipt {
  readonly price: { readonly slo: string | null; readonly usd_per_million: Readonly<Record<string, string>> }
  readonly attempts: readonly { readonly charges_usd: Readonly<Record<string, string>> }[]
  readonly refund_usd: string
  readonly cost_usd: string
}
