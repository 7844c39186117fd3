import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { firstTokenSeconds } from '../prometheus/buckets.ts'
import type { Histogram } from '../prometheus/recorder.ts'
import { otlpExporter } from './export.ts'
import { otlpPayload } from './payload.ts'

const buckets = firstTokenSeconds.map((_, index) => (index === 2 ? 3 : 0))
const readings = [
  {
    name: 'gen_ai_server_time_to_first_token_seconds',
    values: ['chat', 'wattmill', 'm'],
    value: [0.5, ...buckets, 1] as Histogram,
  },
  { name: 'wattmill_requests_total', values: ['m', 'complete'], value: 7 },
  { name: 'wattmill_gateways', values: ['yes'], value: 2 },
  { name: 'gen_ai_server_request_duration_seconds', values: ['chat', 'wattmill', 'm', ''], value: [1] as Histogram },
] as const

interface Payload {
  readonly resourceMetrics: readonly [
    { readonly scopeMetrics: readonly [{ readonly metrics: readonly Record<string, unknown>[] }] },
  ]
}

test('readings become OTLP: names with dots, cumulative sums, bucket counts that add up', () => {
  const payload = otlpPayload(readings, { version: '1', started_ms: 5 }, 1_795_566_189_359) as Payload
  const metrics = payload.resourceMetrics[0].scopeMetrics[0].metrics
  const of = (name: string): Record<string, unknown> => metrics.find((one) => one.name === name) ?? assert.fail(name)
  const histogram = of('gen_ai.server.time_to_first_token').histogram as {
    aggregationTemporality: number
    dataPoints: readonly [{ count: string; bucketCounts: string[]; explicitBounds: number[]; attributes: object[] }]
  }
  const [point] = histogram.dataPoints
  assert.equal(histogram.aggregationTemporality, 2)
  assert.equal(point.count, '4')
  assert.equal(point.bucketCounts.length, point.explicitBounds.length + 1)
  assert.deepEqual(point.attributes[2], { key: 'gen_ai.request.model', value: { stringValue: 'm' } })
  assert.deepEqual(of('wattmill_requests_total').sum, {
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [
      {
        attributes: [
          { key: 'model', value: { stringValue: 'm' } },
          { key: 'outcome', value: { stringValue: 'complete' } },
        ],
        startTimeUnixNano: '5000000',
        timeUnixNano: '1795566189359000000',
        asDouble: 7,
      },
    ],
  })
  assert(of('wattmill_gateways').gauge)
  const duration = of('gen_ai.server.request.duration').histogram as {
    dataPoints: readonly [{ attributes: { key: string }[] }]
  }
  assert(!duration.dataPoints[0].attributes.some(({ key }) => key === 'error.type'), 'no error, no attribute')
  assert(!metrics.some(({ name }) => String(name).startsWith('vllm')))
})

test('a collector takes it with its key, or says that it does not', async (t) => {
  const seen: { path: string | undefined; key: string | undefined; body: unknown }[] = []
  const server = createServer(async (request, response) => {
    seen.push({ path: request.url, key: request.headers.authorization, body: await json(request) })
    response.writeHead(seen.length === 1 ? 200 : 429).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const exporter = otlpExporter(`http://127.0.0.1:${(server.address() as AddressInfo).port}/otlp/`)
  t.after(async () => {
    await exporter.close()
    server.close()
  })
  await exporter.send({ a: 1 }, 'secret')
  assert.deepEqual(seen[0], { path: '/otlp/v1/metrics', key: 'Bearer secret', body: { a: 1 } })
  await assert.rejects(exporter.send({ a: 2 }, undefined), (error: Error) => /answered 429/.test(error.message))
})
