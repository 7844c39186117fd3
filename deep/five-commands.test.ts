/**
 * From a clone to live $/M tokens and J/token at window grade: the five commands of docs/gpu-node.md, against a SYNTHETIC node
 * that answers like vLLM and like dcgm-exporter.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { SyntheticNode } from '../bench/synthetic/gpu-node.ts'
import { metricNames, metricOf } from '../src/adapters/prometheus/metrics.ts'
import { parseMetrics, type Sample } from '../src/adapters/prometheus/parse.ts'
import { discard } from './factory.ts'

const node = new SyntheticNode({ model: 'synthetic-8b', gpus: 2 })
/** Two boards at 3.50 an hour. */
const costPerHour = 7
let factory: Factory
let key: string
let adding_ms: number
let added_ms: number

before(async () => {
  const { api, dcgm } = await node.listen()
  factory = await startFactory()
  key = /Bearer (wm-\w+)/.exec(factory.output())?.[1] ?? assert.fail('npm start prints a key')
  adding_ms = performance.now()
  await factory.cli(
    ...['engines', 'add', 'gpu', '--url', `${api}/v1`, '--chips', 'h200:2', '--cost-per-hour', String(costPerHour)],
    ...['--meter', `dcgm:${dcgm}#${node.uuids.join(',')}`],
  )
  added_ms = performance.now()
  await factory.cli('prices', 'set', 'synthetic-8b', '--input', '0.10', '--output', '0.40')
})
after(async () => {
  await discard(factory)
  node.close()
})

/** As a program of this machine asks for them: without a key. */
async function metrics(): Promise<readonly Sample[]> {
  const answer = await fetch(`${factory.base}/metrics`)
  assert.equal(answer.status, 200)
  return parseMetrics(await answer.text()).samples
}

const valueIn = (samples: readonly Sample[], name: string, labels: Record<string, string>): number | undefined =>
  samples.find(
    (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value

async function ask(content: string): Promise<string> {
  const answer = await fetch(`${factory.base}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'synthetic-8b',
      messages: [{ role: 'user', content }],
      max_tokens: 120,
      stream: true,
      stream_options: { include_usage: true },
    }),
  })
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /\[DONE\]/)
  return answer.headers.get('x-request-id') ?? assert.fail('an answer has its id')
}

const requests: string[] = []

test('traffic is served, and $/M tokens and J/token are live while it is', async () => {
  const seen = Promise.withResolvers<readonly Sample[]>()
  const watching = until('both figures are there', async () => {
    const samples = await metrics()
    const cost = valueIn(samples, 'wattmill_cost_dollars_per_million_tokens', { engine: 'gpu', per: 'all' })
    const joules = valueIn(samples, 'wattmill_joules_per_token', { engine: 'gpu', per: 'output' })
    return cost !== undefined && joules !== undefined ? samples : undefined
  }).then(seen.resolve, seen.reject)
  for (let round = 0; round < 4; round++)
    requests.push(
      ...(await Promise.all(Array.from({ length: 6 }, (_, n) => ask(`a long story, number ${n} of ${round}`)))),
    )
  await watching
  assert((await seen.promise).length > 40)
})

test('the figures are those of the node: cost over tokens, energy over tokens', async () => {
  // Gateways count what they serve at once; the books follow.
  await until('all requests are in the books', async () => {
    const { requests: booked } = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as { requests: number }
    return booked === requests.length ? true : undefined
  })
  const samples = await metrics()
  assert.equal(valueIn(samples, 'wattmill_requests_total', { outcome: 'complete' }), requests.length)
  const perToken = valueIn(samples, 'wattmill_cost_dollars_per_million_tokens', { engine: 'gpu', per: 'output' }) ?? 0
  // It has cost something since the command ran; the figures are of some moments ago.
  const since = (began_ms: number): number =>
    ((costPerHour * ((performance.now() - began_ms) / 3_600_000)) / node.outputTokens) * 1e6
  assert(
    perToken > 0.8 * since(added_ms) && perToken < 1.01 * since(adding_ms),
    `${perToken} is not between ${since(added_ms)} and ${since(adding_ms)} dollars per million`,
  )

  // Two boards, each with the node's energy since it began; what the factory saw of it began when the engine was added.
  const joules = valueIn(samples, 'wattmill_joules_per_token', { engine: 'gpu', per: 'output', grade: 'measured' }) ?? 0
  const drawn = samples
    .filter(({ name, labels }) => name === 'wattmill_energy_joules_total' && labels.engine === 'gpu')
    .reduce((sum, { value }) => sum + value, 0)
  assert(joules > 0.1 && drawn > 0)
  const truth = (2 * (node.energy_mj - 5e9)) / 1000
  assert(drawn < truth, `the meters say ${drawn} J, the boards drew ${truth} J`)
  assert(joules * node.outputTokens < truth * 1.05, `${joules} J/token is more than was drawn`)
  assert.equal(valueIn(samples, 'wattmill_power_watts', { engine: 'gpu', grade: 'measured' }) !== undefined, true)
})

interface Energy {
  readonly energy_mj: string | null
  readonly grade: string
  readonly final: boolean
  readonly attribution: { readonly grade: string; readonly how: string }
}

test('each request has its joules at window grade, measured, and they are final', async () => {
  const admin = readFileSync(join(factory.home, 'admin.key'), 'utf8').trim()
  let sum = 0
  for (const id of requests) {
    const energy = await until(`the energy of ${id} is final`, async () => {
      const answer = await fetch(`${factory.base}/api/receipts/${id}`, {
        headers: { authorization: `Bearer ${admin}` },
      })
      const { energy } = (await answer.json()) as { energy: Energy }
      return energy.final ? energy : undefined
    })
    assert.deepEqual([energy.attribution.grade, energy.grade], ['window', 'measured'], id)
    sum += Number(energy.energy_mj)
  }
  assert(sum > 0)
  assert(sum < 2 * (node.energy_mj - 5e9), 'no more is given to requests than was drawn')
})

test('explain goes from a request to the ledger and from a transfer back to its request', async () => {
  const [id = ''] = requests
  const text = await factory.cli('explain', id)
  for (const part of ['Admission', 'Route', '1. gpu', 'Usage', 'provider', 'Price', 'Energy', 'window', 'Transfers'])
    assert(text.includes(part), `${part} in\n${text}`)
  const { transfers } = JSON.parse(await factory.cli('explain', id, '-o', 'json')) as {
    transfers: readonly { id: string; unit: string }[]
  }
  const energy = transfers.find(({ unit }) => unit === 'mJ') ?? assert.fail('it has an energy transfer')
  const back = JSON.parse(await factory.cli('explain', energy.id, '-o', 'json')) as {
    receipt: { id: string }
    interval: { meter: string; engines: string[] }
  }
  assert.deepEqual([back.receipt.id, back.interval.engines], [id, ['gpu']])
  const interval = await factory.cli('explain', energy.id.split('/').slice(0, 2).join('/'))
  assert.match(interval, /measures +gpu[\s\S]*idle/)
})

test('top and status show the engine with its figures', async () => {
  const top = await factory.cli('top')
  assert.match(top, /ENGINE +STATE +RUN +OWN QUEUE +KV .*\$\/M TOK .*J\/OUT/)
  assert.match(top, /gpu +up +0\/64 .* measured/)
  const status = JSON.parse(await factory.cli('status', '-o', 'json')) as {
    economics: { engines: readonly { engine: string; usd_per_mtoken: { all: number | null } }[] }
  }
  const gpu = status.economics.engines.find(({ engine }) => engine === 'gpu')
  assert((gpu?.usd_per_mtoken.all ?? 0) > 0)
})

test('the books are whole, and nothing of ours was taken for traffic of others', async () => {
  assert.equal(valueIn(await metrics(), 'wattmill_waste_tokens_total', { cause: 'foreign' }), undefined)
  const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as {
    conserved: boolean
    requests: number
  }
  assert.deepEqual([check.conserved, check.requests], [true, requests.length])
})

test('every metric of the table is shown by a factory that works', async () => {
  await fetch(`${factory.base}/v1/nothing`) // so that something was refused
  const rare = new Set([
    'wattmill_series_dropped_total', // only when a metric has too many label values
    'wattmill_series_folded',
    'wattmill_waste_tokens_total', // only when something was wasted
    'wattmill_attribution_residual_factor', // only after minutes of work
    'wattmill_cache_lookups_total', // only for who asks for the cache
    'wattmill_hedges_total', // only when a first token was late, and only where that was wished
    'wattmill_refunds_dollars_total', // only when a promise was broken
  ])
  const missing = async (): Promise<string[]> => {
    const shown = new Set((await metrics()).map(({ name }) => name))
    return metricNames.filter(
      (name) => !rare.has(name) && !shown.has(metricOf(name).kind === 'histogram' ? `${name}_count` : name),
    )
  }
  const done = async (): Promise<true | undefined> => ((await missing()).length === 0 ? true : undefined)
  await until('all are there', done, 10_000).catch(() => undefined)
  assert.deepEqual(await missing(), [])
})
