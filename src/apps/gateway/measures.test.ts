import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Counts } from '../../adapters/prometheus/recorder.ts'
import { keyOf } from '../../adapters/prometheus/recorder.ts'
import { bench, chatBody, chunkOf, delta, done, fakeUpstream, finish, stream } from './testing.ts'

const usage = {
  prompt_tokens: 12,
  completion_tokens: 5,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 2 },
}

/** Observations of a histogram's series, or the count of a counter's. */
const of = (counts: Counts, name: string, ...values: string[]): number => {
  const value = counts[keyOf(name, values)] ?? 0
  return typeof value === 'number' ? value : value.slice(1).reduce((a, b) => a + b, 0)
}

test('a request is measured once in every figure, and what was refused in its code', async (t) => {
  const up = await fakeUpstream(t, (response) =>
    stream(response, delta('a'), delta('b'), delta('c'), finish(), chunkOf(undefined, { usage }), done),
  )
  const { post, gateway } = await bench(t, { engines: [{ url: up.url }], grant: { models: ['m'] } })
  await post('/v1/chat/completions', chatBody({ stream: true }))
  await post('/v1/chat/completions', chatBody({ model: 'other' }))
  await post('/v1/chat/completions', '{')
  await post('/v1/nothing', '{}')
  const counts = gateway.state.measures.recorder.take()

  assert.equal(of(counts, 'wattmill_requests_total', 'm', 'complete'), 1)
  assert.equal(of(counts, 'wattmill_attempts_total', 'engine-1', 'ok'), 1)
  assert.equal(of(counts, 'gen_ai_server_request_duration_seconds', 'chat', 'wattmill', 'm', ''), 1)
  assert.equal(of(counts, 'gen_ai_server_time_to_first_token_seconds', 'chat', 'wattmill', 'm'), 1)
  assert.equal(of(counts, 'gen_ai_client_token_usage', 'chat', 'wattmill', 'm', 'input'), 1)
  assert.equal(of(counts, 'wattmill_inter_token_latency_seconds', 'm'), 2)
  assert.equal(of(counts, 'wattmill_queue_time_seconds', 'm'), 1)
  const tokens = (tokenClass: string): number =>
    of(counts, 'wattmill_tokens_total', 'm', 'engine-1', tokenClass, 'provider', 'served')
  assert.deepEqual(['input_uncached', 'cache_read', 'output_visible', 'reasoning'].map(tokens), [4, 8, 3, 2])
  for (const objective of ['answered', 'ttft', 'tpot'])
    assert.equal(of(counts, 'wattmill_slo_requests_total', objective, 'm', 'good'), 1, objective)
  for (const code of ['model_not_allowed', 'invalid_json', 'route_not_found'])
    assert.equal(of(counts, 'wattmill_refusals_total', code), 1, code)
  const said = JSON.stringify(counts)
  for (const secret of ['hello there', 'wm-test', 'key_1', 'acme']) assert(!said.includes(secret), secret)
})

test('an engine that fails is waste and a missed objective, and says how it failed', async (t) => {
  const up = await fakeUpstream(t, (response) => stream(response, delta('a'), delta('b')))
  const { post, gateway } = await bench(t, { engines: [{ url: up.url }] })
  await post('/v1/chat/completions', chatBody({ stream: true }))
  const counts = gateway.state.measures.recorder.take()
  assert.equal(of(counts, 'wattmill_requests_total', 'm', 'truncated'), 1)
  assert.equal(of(counts, 'wattmill_attempts_total', 'engine-1', 'truncated'), 1)
  assert.equal(of(counts, 'wattmill_tokens_total', 'm', 'engine-1', 'output_visible', 'counted', 'waste'), 2)
  assert.equal(of(counts, 'wattmill_slo_requests_total', 'answered', 'm', 'bad'), 1)
  assert.equal(of(counts, 'gen_ai_client_token_usage', 'chat', 'wattmill', 'm', 'output'), 0)
})
