import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptReport } from '../../adapters/llama/client.ts'
import type { EmbedCommand, GenerateCommand } from '../../adapters/llama/commands.ts'
import { bench, fakeUpstream } from './testing.ts'

const base64 = (...values: number[]): string => Buffer.from(Float32Array.from(values).buffer).toString('base64')

/** Two vectors, as the engine host tells them. */
function host() {
  const commands: (GenerateCommand | EmbedCommand)[] = []
  return {
    commands,
    cancel: () => undefined,
    generate(command: GenerateCommand | EmbedCommand, told: (report: AttemptReport) => void) {
      commands.push(command)
      const { id } = command
      const count = { input_uncached: 7, cache_read: 0, output: 0 }
      queueMicrotask(() => {
        told({ on: 'begin', id, input_uncached: 7, cache_read: 0 })
        told({ on: 'vector', id, index: 0, data: base64(0.5, -1) })
        told({ on: 'vector', id, index: 1, data: base64(1, 0.25) })
        told({ on: 'end', id, why: 'stop', text: '', count })
      })
    },
  }
}

test('the embedded engine: floats and base64, billed for what went in', async (t) => {
  const engine = host()
  const { post, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host: engine })
  const floats = await post('/v1/embeddings', { model: 'm', input: ['a', 'b'], dimensions: 2 })
  assert.deepEqual(floats.json, {
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [0.5, -1] },
      { object: 'embedding', index: 1, embedding: [1, 0.25] },
    ],
    model: 'm',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  })
  const { id: _, ...command } = engine.commands[0] ?? { id: '' }
  assert.deepEqual(command, { do: 'embed', model: 'upstream-m', inputs: ['a', 'b'], dimensions: 2 })
  const packed = await post('/v1/embeddings', { model: 'm', input: [1, 2, 3], encoding_format: 'base64', stream: true })
  assert.deepEqual(
    packed.json.data.map((one: { embedding: string }) => one.embedding),
    [base64(0.5, -1), base64(1, 0.25)],
  )
  assert.deepEqual((engine.commands[1] as EmbedCommand).inputs, [[1, 2, 3]])
  const [row] = journal.closes
  assert.deepEqual(
    [row?.outcome, row?.ttft_ms, row?.attempts[0]?.usage.input_uncached, row?.attempts[0]?.usage.output_visible],
    ['complete', null, { tokens: 7, source: 'engine' }, { tokens: 0, source: 'engine' }],
  )
  assert(Number(floats.headers.get('x-wattmill-cost-usd')) > 0)
})

test('an upstream: asked as the client asks, converted where it answers in the other encoding', async (t) => {
  const answer = {
    object: 'list',
    model: 'upstream-m',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
  }
  let usage: object | undefined = { prompt_tokens: 3, total_tokens: 3 }
  const { url, seen } = await fakeUpstream(t, (response) =>
    response.end(JSON.stringify({ ...answer, usage, extra: 1 })),
  )
  const { post, journal } = await bench(t, { engines: [{ url }] })
  const packed = await post('/v1/embeddings', { model: 'm', input: 'abc', encoding_format: 'base64', user: 'u' })
  assert.equal(seen[0]?.path, '/v1/embeddings')
  assert.deepEqual(seen[0]?.body, { model: 'upstream-m', input: 'abc', encoding_format: 'base64', user: 'u' })
  assert.equal(packed.json.data[0].embedding, base64(0.5, -1))
  assert.deepEqual([packed.json.model, packed.json.extra, packed.json.usage.prompt_tokens], ['m', 1, 3])
  assert.deepEqual(journal.closes[0]?.attempts[0]?.usage.input_uncached, { tokens: 3, source: 'provider' })

  usage = undefined
  await post('/v1/embeddings', { model: 'm', input: 'twelve chars' })
  const told = journal.closes[1]?.attempts[0]?.usage
  assert.deepEqual(
    [told?.input_uncached, told?.output_visible],
    [
      { tokens: 3, source: 'estimated' },
      { tokens: 0, source: 'estimated' },
    ],
  )
})

test('what is no input is refused; an upstream that answers something else is a bad reply', async (t) => {
  const { url } = await fakeUpstream(t, (response) => response.end('{"choices": []}'))
  const { post } = await bench(t, { engines: [{ url }] })
  for (const input of [undefined, '', [], [''], {}, [[]], [1, 'a'], [1.5], Array(2049).fill('a'), [[1, 'a']]]) {
    const { status, json } = await post('/v1/embeddings', { model: 'm', input })
    assert.deepEqual(
      [status, json.error.code, json.error.param],
      [400, 'invalid_value', 'input'],
      JSON.stringify(input),
    )
  }
  const format = await post('/v1/embeddings', { model: 'm', input: 'a', encoding_format: 'hex' })
  assert.equal(format.json.error.param, 'encoding_format')
  const bad = await post('/v1/embeddings', { model: 'm', input: 'a' })
  assert.deepEqual([bad.status, bad.json.error.code], [502, 'engine_bad_reply'])
})
