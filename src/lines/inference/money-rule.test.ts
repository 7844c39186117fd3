import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Replica, ReplicaFacts } from '../../plant/infrastructure/replica.ts'
import { id } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'
import { moneyRule, usualMoney } from './money-rule.ts'
import type { Placing } from './replica-view.ts'
import { ReplicaView } from './replica-view.ts'
import { servingCost } from './serving-cost.ts'

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
  promise: seconds(1e6),
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

const near = (value: number, wanted: number): void =>
  assert(Math.abs(value - wanted) < 1e-6 * Math.abs(wanted), `${value}, not ${wanted}`)

/** Of one second of somebody's time, in nano-dollars. */
const second = usualMoney.waitingPerHour / 3600

/** So many requests under way, of which some have a token. */
function busy(waiting: number, decoding: number): ReplicaView {
  const view = viewOf(own)
  Object.assign(view, { running: waiting + decoding, decoding, prefilling: 10_000 * waiting })
  return view
}

test('a long wait costs more than its length, by what was promised', () => {
  const cost = (waits: number, promise: number, due = promise): number => {
    const near = { ...placing, output: 0, promise: seconds(promise), due: seconds(due) }
    return moneyRule().parts(busy(waits, 0), 10_000, near).waiting / second
  }
  near(cost(0, 1e9), 1)
  near(cost(1, 1e9), 2)
  near(cost(0, 2), 1 + 4 / 2) // t + 4 t² / T
  near(cost(1, 2), 2 + (4 * 4) / 2)
  near(cost(1, 10), 2 + (4 * 4) / 10)
  near(cost(0, 2, 1), 1 + (4 * 3) / 2) // it has waited for a second already
})

test('a prompt delays who waits there and who decodes there, and is delayed by what they hold', () => {
  const { behind } = moneyRule().parts(busy(3, 10), 5000, placing)
  near(behind, second * 0.5 * (2 * 3 + usualMoney.answerShare * 10))
  const waiting = (held: number): number => moneyRule().parts(Object.assign(busy(0, 10), { held }), 1, placing).waiting
  // Each of 500 tokens reads so many more.
  near(waiting(100_000) - waiting(0), (second * usualMoney.answerShare * 500 * 0.001 * 100_000) / 10_000)
})

test('a computed token has one price for all replicas when none has time, and none as long as one has', () => {
  const saved = (views: readonly ReplicaView[]): number[] => {
    const rule = moneyRule()
    for (let n = 0; n < 1000; n++) rule.begin(placing, views, [])
    return views.map((view) => rule.parts(view, 2000, placing).behind - moneyRule().parts(view, 2000, placing).behind)
  }
  for (const one of saved([busy(5, 50), busy(0, 0)])) assert.equal(one, 0)
  const [crowded = 0, less = 0] = saved([busy(5, 50), busy(1, 10)])
  near(crowded, less)
  near(less, second * usualMoney.passedOn * (2 * 1 + usualMoney.answerShare * 10) * 0.2)
  const [, hostedOne] = saved([busy(5, 50), Object.assign(viewOf(hosted), { running: 9, decoding: 0 })])
  assert.equal(hostedOne, 0, 'a token that a hosted engine computes delays nobody here')
})

test('that all replicas of one model are busy says nothing of another', () => {
  const rule = moneyRule()
  for (let n = 0; n < 1000; n++) rule.begin(placing, [busy(5, 50)], [])
  const other = { ...placing, model: id<Placing['model']>('idle') }
  rule.begin(other, [busy(0, 0)], [])
  assert.equal(rule.parts(busy(0, 0), 2000, other).behind, 0)
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
