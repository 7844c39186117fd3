import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBooks, residual } from '../books/memory.ts'
import type { Row } from '../books/row.ts'
import { rules } from '../lines/inference/routing.ts'
import type { StepReport } from '../plant/infrastructure/step.ts'
import { workOfStep } from '../plant/infrastructure/step-work.ts'
import { id } from '../units/ids.ts'
import { livePolicyUnder } from './factory/policy.ts'
import { Random } from './random.ts'
import { runTwin, TwinRun } from './run.ts'
import type { Scenario } from './scenario.ts'
import { readScenario } from './scenario-read.ts'
import { streamShapes } from './stream-shapes.ts'

const base = {
  name: 'small',
  pools: [
    {
      name: 'a',
      replicas: 3,
      model: 'meta-llama/Llama-3.1-8B',
      chip: 'h100-sxm',
      price_usd_per_million: { input: '0.1', cached: '0.013', output: '0.4' },
    },
  ],
  workload: { per_second: 20, requests: 200, prompt: { median: 600 }, answer: { median: 80 } },
}

test('requests go to gateways in turns, or by chance that a seed fixes', () => {
  const shares = (more: object): number[] => {
    const counts = new Map<string, number>()
    const onRow = (row: Row): void => {
      const gateway = row.id.split('-')[0] ?? ''
      if (row.kind === 'close') counts.set(gateway, (counts.get(gateway) ?? 0) + 1)
    }
    runTwin(readScenario({ ...base, gateways: 4, ...more }), [], { onRow })
    return ['g0', 'g1', 'g2', 'g3'].map((name) => counts.get(name) ?? 0)
  }
  assert.deepEqual(shares({}), [50, 50, 50, 50])
  const byChance = shares({ gateways_take: 'chance' })
  assert(byChance.every((count) => count > 30 && count < 70) && new Set(byChance).size > 1, `${byChance}`)
  assert.deepEqual(shares({ gateways_take: 'chance' }), byChance)
  assert.notDeepEqual(shares({ gateways_take: 'chance', seed: 2 }), byChance)
})

/** A scenario of everything: clients that leave, replicas that crash and slow down, caches too small, several gateways. */
function anything(seed: number): Scenario {
  const random = new Random(seed, 'scenario')
  const tight = random.chance(0.5)
  return readScenario({
    ...base,
    seed,
    gateways: random.whole(1, 3),
    pools: [
      {
        ...base.pools[0],
        concurrency: random.pick([4, 64]),
        cold_start_s: random.pick([0, 3]),
        stream: random.pick(['own', ...streamShapes]),
        engine: tight
          ? { kv_blocks: 400, max_model_len: 4000, max_num_seqs: 32, max_num_batched_tokens: 512 }
          : random.pick([{}, { kind: 'llama.cpp', slots: 4 }]),
      },
    ],
    clients: [
      { tenant: 'stays', share: 3 },
      { tenant: 'goes', share: 1, leaves: { share: 0.7, within_tokens: 60 } },
      { tenant: 'hurries', share: 1, leaves: { share: 0.7, within_s: 2 }, max_tokens: 40 },
    ],
    gateway: {
      queue_length: random.pick([5, 500]),
      queue_s: random.pick([1, 30]),
      hedge_percent: seed % 2 === 0 ? 50 : 0,
    },
    deadline_s: random.pick([4, 600]),
    workload: {
      per_second: random.pick([5, 40]),
      burst: random.pick([1, 3]),
      requests: 150,
      prompt: { median: 500, most: 3000 },
      answer: { median: 60, most: 900 },
      beginnings: { share: 0.5, kinds: 3, tokens: 300 },
    },
    faults: random.chance(0.6)
      ? [
          { kind: 'crash', replica: 'a-1', at_s: random.share() * 8, for_s: 2 },
          { kind: 'slow', replica: 'a-2', at_s: random.share() * 8, for_s: 3, factor: 4 },
        ]
      : undefined,
  })
}

test('whatever happens, every request ends once and the books add up in tokens, money and energy', () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const report = runTwin(anything(seed))
    assert.equal(report.books.conserved, true, `seed ${seed}: ${JSON.stringify(report.books)}`)
    assert.equal(
      Object.values(report.outcomes).reduce((sum, one) => sum + one, 0),
      report.requests,
      `seed ${seed}`,
    )
    for (const outcome of Object.keys(report.outcomes)) outcomes.add(outcome)
  }
  for (const seen of ['complete', 'client_closed', 'timeout', 'refused', 'upstream_error', 'truncated'])
    assert(outcomes.has(seen), `no run ended a request as ${seen}: ${[...outcomes]}`)
})

test('a run that leaps says the same as one that goes step by step', () => {
  let [leapt, walked] = [0, 0]
  for (let seed = 0; seed < 25; seed++) {
    const scenario = anything(seed)
    const walking = {
      ...scenario,
      pools: scenario.pools.map((pool) => ({ ...pool, loop: { ...pool.loop, leaps: false } })),
    }
    const [leap, walk] = [runTwin(scenario), runTwin(walking)]
    leapt += leap.events
    walked += walk.events
    assert.deepEqual({ ...leap, events: 0 }, { ...walk, events: 0 }, `seed ${seed}`)
  }
  assert(leapt < walked / 2, `${leapt} events against ${walked}`)
})

test('same scenario and seed, same report; another seed, another', () => {
  assert.deepEqual(runTwin(anything(3)), runTwin(anything(3)))
  assert.notDeepEqual(
    runTwin(readScenario({ ...base, seed: 1 })).ttft_ms,
    runTwin(readScenario({ ...base, seed: 2 })).ttft_ms,
  )
})

test('the books of a run are those that the live bookkeeper makes of its rows', () => {
  for (let seed = 0; seed < 10; seed++) {
    const scenario = { ...anything(seed), gateways: 1 }
    const memory = new MemoryBooks((body) => `${body.length} ${body}`)
    const rows: Row[] = []
    const run = new TwinRun(scenario, [], { onRow: (row) => rows.push(row) })
    for (const price of run.prices) memory.prices.set(price.version, price)
    run.run()
    memory.ship(
      id('g0'),
      rows.map((row, at) => {
        const body = JSON.stringify(row)
        return { seq: at + 1, row, body, hash: `${body.length} ${body}` }
      }),
    )
    assert.deepEqual([...memory.asides], [])
    const posted = [...run.books.balances].filter(([key]) => !key.startsWith('mJ '))
    assert.deepEqual(new Map(posted), memory.balances, `seed ${seed}`)
    assert.equal(residual(memory.balances, 'token'), 0n)
  }
})

const spread = { policyOf: livePolicyUnder(rules['least-requests']) }

test('another policy meets the same requests: only its decisions differ', () => {
  const scenario = readScenario({ ...base, seed: 4 })
  const even = runTwin(scenario, [], spread)
  const one = runTwin(scenario, [], {
    policyOf: (bounds) => ({
      ...livePolicyUnder()(bounds),
      route: ({ snapshot, attempts }) => (attempts.length === 0 ? snapshot.replicas[0] : undefined),
    }),
  })
  assert.deepEqual([one.tokens.input, one.tokens.output], [even.tokens.input, even.tokens.output])
  assert.deepEqual(
    one.replicas.map(({ steps }) => steps > 0),
    [true, false, false],
  )
  assert((one.ttft_ms?.p90 ?? 0) > (even.ttft_ms?.p90 ?? 0))
})

test('a crash costs what was under way, and the rest goes to the others', () => {
  const crash = { kind: 'crash', replica: 'a-2', at_s: 5, for_s: 3600 }
  const report = runTwin(readScenario({ ...base, faults: [crash] }), [], spread)
  assert.equal(report.books.conserved, true)
  assert(report.tokens.wasted > 0, 'what it had made is waste')
  const [first, second] = report.replicas
  assert((second?.steps ?? 0) < 0.7 * (first?.steps ?? 0))
  assert((report.outcomes.complete ?? 0) > 180)
  assert(report.simulated_s < 60, 'a run is over with its last request, not with the last fault')
  assert((report.replicas[0]?.busy_share ?? 0) > 0.5)
})

test('steps are reported one by one, leapt over or not, and add up to what was made', () => {
  const reports = (leaps: boolean) => {
    const scenario = readScenario({ ...base, seed: 6 })
    const told: StepReport[] = []
    const report = runTwin(
      { ...scenario, pools: scenario.pools.map((pool) => ({ ...pool, loop: { ...pool.loop, leaps } })) },
      [],
      { onStep: (step) => told.push(step) },
    )
    return { told, report }
  }
  const { told, report } = reports(true)
  assert.equal(told.length, report.steps)
  const work = told.flatMap(workOfStep)
  const sum = (of: 'decode' | 'prefill') => work.reduce((all, one) => all + one[of], 0)
  // With two steps under way a stop token comes too late for the step behind it: one row of each answer is dropped.
  assert.equal(sum('decode'), report.tokens.output + report.requests)
  assert.equal(sum('prefill'), report.tokens.input - report.tokens.cached)
  const byTime = (all: readonly StepReport[]) => all.map((one) => JSON.stringify(one)).sort()
  assert.deepEqual(byTime(told), byTime(reports(false).told))
})

test('an odd stream changes how tokens are known, not how many are booked', () => {
  const of = (stream: string) => runTwin(readScenario({ ...base, pools: [{ ...base.pools[0], stream }] }))
  const own = of('own')
  for (const shape of streamShapes) {
    const report = of(shape)
    assert.equal(report.books.conserved, true, shape)
    assert.equal(report.books.unheard, 0, shape)
    assert.equal(report.tokens.output, own.tokens.output, shape)
    assert.equal(report.tokens.wasted > 0, shape === 'cut', shape)
    assert.equal(report.outcomes.complete ?? 0, shape === 'cut' ? 0 : 200, shape)
  }
})
