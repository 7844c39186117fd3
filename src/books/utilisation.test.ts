import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findAccelerator } from '../plant/chips/catalogue.ts'
import { findModel } from '../plant/models/cards.ts'
import { parameters } from '../plant/models/parameters.ts'
import { taken } from '../plant/models/step-physics.ts'
import type { PlantFacts } from './utilisation.ts'
import { utilisation } from './utilisation.ts'
import type { WorkShare } from './work-hour.ts'

const h100 = findAccelerator('h100-sxm')
const llama = findModel('meta-llama/Llama-3.1-8B')
const experts = findModel('Qwen/Qwen3-30B-A3B')
assert(h100 && llama && experts)

const plant: PlantFacts = {
  chips: (replica) => (replica === 'gpu' ? { chip: h100, count: 2 } : `no chips are declared of ${replica}`),
  site: (replica) => (replica === 'gpu' ? 'main' : 'eu-north'),
  card: (_, model) => (model === 'llama' ? llama : `the shape of ${model} is not known`),
}

/** A thousand decode steps of a batch of 64, each at 1000 tokens of context. */
const decoded = { step_e9: 1000e9, prefill: 0, prefill_context: 0, decode: 64_000, kv_read: 64_000_000 }
const share = (more: Partial<WorkShare> = {}): WorkShare => ({
  replica: 'gpu',
  tenant: 't',
  application: 'a',
  model: 'llama',
  cause: '',
  held_ns: 10_000_000_000n,
  did: decoded,
  kv_token_ms: 640_000_000n,
  ...more,
})
const of = (shares: readonly WorkShare[], by: Parameters<typeof utilisation>[1], replicas = ['gpu']) =>
  utilisation(
    {
      from_ms: 0,
      to_ms: 3_600_000,
      shares,
      busy: replicas.map((replica) => ({ replica, busy_s: 10, all_s: 3600 })),
      plant,
    },
    by,
  ).rows

test('MFU and MBU of a batch of 64 on two H100, worked out by hand', () => {
  const [line, ...others] = of([share()], 'replica')
  assert(line && others.length === 0)
  const { embedding, head, attention, dense } = parameters(llama)
  assert(head > 0 && embedding === head, 'Llama 8B has a head of its own')
  const flops = 64_000 * 2 * (attention + dense + head) + 64_000_000 * 4 * 32 * 32 * 128
  assert.equal(line.figures.mfu.value, flops / (10 * 2 * Number(h100.peak.bf16)))
  // Weights in bf16 once a step, over two chips; the cache 131,072 bytes a token, half of it on each.
  const bytes = (1000 * (attention + dense + head) * 2) / 2 + (64_000_000 * 131_072) / 2
  assert.equal(line.figures.mbu.value, bytes / (10 * Number(h100.bandwidth)))
  assert.match(line.figures.mfu.unit, /bf16/)
  assert.deepEqual([line.figures.busy_share.value, line.figures.chip_s.value], [10 / 3600, 20])
  assert.deepEqual(line.why, [])
})

test('experts: a step reads those that its tokens touch, and a token computes with those that it is sent to', () => {
  const deployment = { model: experts, chip: h100, chips: 1, weights: experts.published, kv: 'bf16' } as const
  const one = taken(deployment, { ...decoded, decode: 1000, kv_read: 0 })
  const many = taken(deployment, { ...decoded, kv_read: 0 })
  assert(many.bytes > 8 * one.bytes && many.bytes < 16 * one.bytes, `${many.bytes / one.bytes} times the bytes, not 64`)
  assert.equal(Math.round(many.flops / one.flops), 64)
  assert.deepEqual(taken(deployment, { step_e9: 0, prefill: 0, prefill_context: 0, decode: 0, kv_read: 0 }), {
    flops: 0,
    bytes: 0,
  })
})

test('what a fact is missing for is null, with the reason; what is known stands', () => {
  const [far, gpu] = of([share(), share({ replica: 'far' })], 'replica', ['gpu', 'far'])
  assert.deepEqual([far?.name, far?.figures.mfu.value, far?.figures.mbu.value], ['far', null, null])
  assert.deepEqual(far?.why, ['no chips are declared of far'])
  assert.equal(far?.figures.busy_share.value, 10 / 3600)
  assert(gpu?.figures.mfu.value)
  const [odd] = of([share(), share({ model: 'odd' })], 'replica')
  assert.deepEqual([odd?.figures.mfu.value, odd?.why], [null, ['the shape of odd is not known']])
  assert.equal(odd?.figures.chip_s.value, 20)
  assert.deepEqual(
    of([share()], 'chip', ['gpu', 'far']).map(({ name, figures }) => [name, figures.chip_s.value]),
    [
      ['h100-sxm', 20],
      ['not declared', null],
    ],
  )
})

test('chip-seconds and KV byte-seconds by whom; what was for nothing stands under its cause', () => {
  const shares = [
    share(),
    share({ tenant: 'u', held_ns: 4_000_000_000n }),
    share({ tenant: 'u', cause: 'timeout', held_ns: 1_000_000_000n }),
  ]
  const lines = of(shares, 'tenant').map(({ name, figures }) => [name, figures.chip_s.value, figures.kv_gb_s.value])
  const gb_s = (640_000 * 131_072) / 1e9
  assert.deepEqual(lines, [
    ['t', 20, gb_s],
    ['u', 8, gb_s],
    ['waste: timeout', 2, gb_s],
  ])
  const [model] = of(shares, 'model')
  assert.equal(model?.figures.chip_s.value, 30, 'a model did its waste as well')
  const [odd] = of([share({ model: 'odd' })], 'model')
  assert.deepEqual([odd?.figures.kv_gb_s.value, odd?.figures.chip_s.value], [null, 20])
})
