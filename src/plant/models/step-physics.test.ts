import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findAccelerator } from '../chips/catalogue.ts'
import { weightFormats } from './card.ts'
import { findModel } from './cards.ts'
import { weightBytes } from './memory.ts'
import type { StepCost } from './step-cost.ts'
import { type Deployment, kvRoom, missingFacts, stepPhysics } from './step-physics.ts'

const deployed = (model: string, chip: string, chips: number): Deployment => ({
  model: findModel(model) ?? assert.fail(model),
  chip: findAccelerator(chip) ?? assert.fail(chip),
  chips,
  weights: weightFormats.bf16,
  kv: 'bf16',
})
/** A step with a piece of a prompt of up to 1000 tokens, and so much context for each that decodes. */
const step = (cost: StepCost, prefill: number, decodes: number, context: number) => {
  const pairs = (prefill * Math.min(prefill, 1000)) / 2
  const ms = (cost.time_ns(prefill, pairs, decodes) + cost.timePerContext_ns * decodes * context) / 1e6
  const work_j = cost.work_j(prefill, pairs, decodes) + cost.workPerContext_j * decodes * context
  return { ms, watts: Math.min(cost.full_w, cost.idle_w + (1000 * work_j) / ms) }
}

test('from data sheets alone, a step of vLLM on RTX PRO 6000 is met within 20 %', () => {
  // Coefficients (ms, ms per prefill token, ms per decode, µs per context) fitted to recorded runs of vLLM 0.19.
  const fits = [
    ['meta-llama/Llama-3.1-8B', 1, 13.33, 0.0359, 0.066, 0.052],
    ['Qwen/Qwen3-32B', 2, 25.05, 0.158, 0.018, 0.239],
  ] as const
  for (const [model, chips, a, b, c, d] of fits)
    for (const [prefill, decodes] of [
      [0, 1],
      [0, 32],
      [0, 64],
      [0, 128],
      [200, 100],
      [1024, 50],
      [2000, 48],
    ] as const) {
      const { ms } = step(stepPhysics(deployed(model, 'rtx-pro-6000-server', chips)), prefill, decodes, 1000)
      const fitted = a + b * prefill + c * decodes + d * decodes
      assert(Math.abs(ms / fitted - 1) < 0.2, `${model} ${prefill} + ${decodes}: ${ms} ms, fitted ${fitted}`)
    }
})

test('latency and power of serving on H100, as the ML.ENERGY benchmark saw them', () => {
  // Its prompts are taken to add 0.6 tokens a step for each sequence, which has 600 of context: neither is published.
  const points = [
    ['meta-llama/Llama-3.1-8B', 1, 8, 7.3, 0.69],
    ['meta-llama/Llama-3.1-8B', 1, 64, 11.5, 0.87],
    ['meta-llama/Llama-3.1-8B', 1, 256, 26.1, 0.99],
    ['meta-llama/Llama-3.1-70B', 4, 8, 16.6, 0.63],
    ['meta-llama/Llama-3.1-70B', 4, 64, 22.4, 0.71],
    ['meta-llama/Llama-3.1-70B', 4, 256, 39.8, 0.84],
    ['Qwen/Qwen3-30B-A3B', 1, 8, 12.9, 0.57],
    ['Qwen/Qwen3-30B-A3B', 1, 64, 28.9, 0.69],
  ] as const
  for (const [model, chips, batch, itl_ms, share] of points) {
    const cost = stepPhysics(deployed(model, 'h100-sxm', chips))
    const { ms, watts } = step(cost, 0.6 * batch, batch, 600)
    assert(Math.abs(ms / itl_ms - 1) < 0.2, `${model} at ${batch}: ${ms} ms, measured ${itl_ms}`)
    assert(
      Math.abs(watts / cost.full_w - share) < 0.15,
      `${model} at ${batch}: ${watts / cost.full_w} of TDP, measured ${share}`,
    )
  }
})

test('no step is faster than its weights can be read or its FLOPs be done', () => {
  for (const [model, chip, chips] of [
    ['meta-llama/Llama-3.1-8B', 'h100-sxm', 1],
    ['meta-llama/Llama-3.1-70B', 'b200', 2],
    ['meta-llama/Llama-3.1-8B', 'l40s', 1],
    ['deepseek-ai/DeepSeek-R1', 'h200', 8],
  ] as const) {
    const one = deployed(model, chip, chips)
    const cost = stepPhysics(one)
    for (const tokens of [1, 64, 2048]) {
      const { ms } = step(cost, tokens, 0, 0)
      const flops_ms = (1000 * 2 * 0.9 * tokens * active(one)) / (chips * (one.chip.peak.bf16 ?? 0))
      assert(ms > flops_ms, `${model} on ${chip}, ${tokens} tokens: ${ms} ms`)
    }
    // All experts are read only by large batches.
    const read_ms = (1000 * 0.9 * weightBytes(one.model, one.weights)) / (chips * (one.chip.bandwidth ?? 0))
    assert(step(cost, 8192, 0, 0).ms > read_ms, `${model} on ${chip}`)
  }
})

const active = ({ model }: Deployment): number => {
  const { hidden, layers } = model
  return layers * 4 * hidden * hidden // a lower bound that needs none of the code under test
}

test('room for keys and values: 90 % of memory less weights, and none where the weights do not fit', () => {
  // By hand: (0.9 × 80 GB − 16.1 GB − about 2 GB) / 131,072 B, and 4 × (0.9 × 80 − 35.3 − about 1) / 327,680 B.
  assert(Math.abs(kvRoom(deployed('meta-llama/Llama-3.1-8B', 'h100-sxm', 1)) / 412_000 - 1) < 0.05)
  assert(Math.abs(kvRoom(deployed('meta-llama/Llama-3.1-70B', 'h100-sxm', 4)) / 440_000 - 1) < 0.05)
  assert.equal(kvRoom(deployed('meta-llama/Llama-3.1-70B', 'h100-sxm', 1)), 0)
})

test('what nobody knows of a chip is not made up', () => {
  assert.deepEqual(missingFacts(deployed('meta-llama/Llama-3.1-8B', 'a10g', 1)), ['peak FLOP/s in bf16', 'power'])
  assert.deepEqual(missingFacts(deployed('meta-llama/Llama-3.1-8B', 'h100-sxm', 1)), [])
  assert.throws(() => stepPhysics(deployed('meta-llama/Llama-3.1-8B', 'a10g', 1)), /lacks/)
})
