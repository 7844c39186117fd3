import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Replica, ReplicaFacts } from '../../plant/infrastructure/replica.ts'
import { id } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'
import type { Placing } from './replica-view.ts'
import { ReplicaView } from './replica-view.ts'
import { moneyRule, servingCost } from './routing.ts'

const viewOf = (facts: ReplicaFacts): ReplicaView =>
  new ReplicaView(0, {
    id: id<Replica['id']>('r'),
    vendor: 'openai',
    models: { m: 'm' },
    concurrency: 64,
    draining: false,
    facts,
  })

/** $3.60 an hour: 1,000,000 nano-dollars a second. It computes 10,000 prompt tokens a second, and 1,000 of answers until it shows. */
const own = { nanoDollarsPerHour: 3_600_000_000, prefillTokensPerSecond: 10_000 }
/** $0.10 a million in, $0.02 cached, $1 out. */
const hosted = { listPrices: { m: { input: 100_000_000, cached: 20_000_000, output: 1_000_000_000 } } }

const placing: Placing = {
  model: id('m'),
  prompt: 2000,
  output: 500,
  blocks: [],
  blockTokens: 64,
  looked: true,
  due: seconds(1e6),
  gateways: 1,
}

test('own replicas and hosted ones are compared by the same quantity: the prompt and the answer', () => {
  // 0.2 s + 0.5 s of chip time; 2000 × $0.10 + 500 × $1 a million.
  assert.equal(servingCost(viewOf(own), 2000, placing), 700_000)
  assert.equal(servingCost(viewOf(hosted), 2000, placing), 700_000)
  // 1500 tokens in the cache: 0.05 s + 0.5 s; 500 × $0.10 + 1500 × $0.02 + 500 × $1 a million.
  assert.equal(servingCost(viewOf(own), 500, placing), 550_000)
  assert.equal(servingCost(viewOf(hosted), 500, placing), 580_000)
  // 200 W at $0.0000001 a joule: 20,000 nano-dollars for each second of both.
  const drawing = viewOf({ ...own, activeWatts: 200, nanoDollarsPerJoule: 100 })
  assert.equal(servingCost(drawing, 2000, placing), 714_000)
})

test('the score is the sum of its parts', () => {
  const rule = moneyRule()
  const view = viewOf(own)
  view.sent({ ...placing, prompt: 4000 }, 0, seconds(0))
  const { prefill, decode, eviction, waiting, behind, late } = rule.parts(view, 2000, placing)
  assert.deepEqual({ prefill, decode, eviction }, { prefill: 200_000, decode: 500_000, eviction: 60_000 })
  assert.equal(rule.score(view, 2000, placing), prefill + decode + eviction + waiting + behind + late)
  assert(waiting > 0 && behind > 0 && late > 0)
  assert.equal(rule.parts(viewOf(hosted), 2000, placing).eviction, 0, 'what a hosted cache pushes out is not ours')
})

test('how many tokens of answers a replica makes is learned, and a quiet one does not look dear', () => {
  const view = viewOf(own)
  const answer = (tokens: number, took: number): void => {
    const dispatch = view.sent(placing, 0, seconds(0))
    view.first(dispatch, seconds(10))
    view.answered(dispatch, tokens, 1, seconds(10 + took))
    view.left(dispatch)
  }
  answer(15, 1) // too short to say much
  answer(1000, 0.01) // in one piece
  assert.equal(view.decodeRate, 1000)
  answer(100, 2) // 50 a second alone: 1,600 with the 32 that would share its steps
  assert.equal(view.decodeRate, 1500)
  answer(100, 4) // 800
  assert.equal(view.decodeRate, 1200)
  for (let n = 0; n < 400; n++) answer(100, 2)
  assert(Math.abs(view.decodeRate - 1600) < 60, `${view.decodeRate}`)
})
