import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokens } from '../../units/quantity.ts'
import { weightFormats } from './card.ts'
import { findModel, models } from './cards.ts'
import { kvBytes, kvBytesPerChip, kvBytesPerToken, weightBytes } from './memory.ts'
import { parameters } from './parameters.ts'

const model = (name: string) => findModel(name) ?? assert.fail(name)

test('counted parameters agree with what the publishers say', () => {
  for (const [name, total, active] of [
    ['meta-llama/Llama-3.1-8B', 8.03, 8.03],
    ['meta-llama/Llama-3.1-70B', 70.6, 70.6],
    ['meta-llama/Llama-3.1-405B', 405.9, 405.9],
    ['Qwen/Qwen3-30B-A3B', 30.5, 3.3],
    ['Qwen/Qwen3-235B-A22B', 235, 22],
    ['Qwen/Qwen3-Coder-480B-A35B-Instruct', 480, 35],
    ['mistralai/Mixtral-8x7B-v0.1', 46.7, 12.9],
    ['openai/gpt-oss-120b', 116.8, 5.7],
    ['deepseek-ai/DeepSeek-R1', 671, 37.5],
  ] as const) {
    const counted = parameters(model(name))
    assert(Math.abs(counted.total / 1e9 / total - 1) < 0.005, `${name}: ${counted.total}`)
    assert(Math.abs(counted.active / 1e9 / active - 1) < 0.02, `${name}: ${counted.active}`)
  }
})

test('KV cache per token, in bytes of bf16', () => {
  assert.equal(kvBytesPerToken(model('meta-llama/Llama-3.1-8B')), 131_072)
  assert.equal(kvBytesPerToken(model('meta-llama/Llama-3.1-70B')), 327_680)
  assert.equal(kvBytesPerToken(model('Qwen/Qwen3-30B-A3B')), 98_304)
  assert.equal(kvBytesPerToken(model('deepseek-ai/DeepSeek-R1')), 70_272)
  assert.equal(kvBytesPerToken(model('meta-llama/Llama-3.1-8B'), 'fp8'), 65_536)
})

test('a window bounds the cache, and a latent cache is whole on every chip', () => {
  const gpt = model('openai/gpt-oss-120b')
  assert.equal(kvBytes(gpt, tokens(100)), 100 * kvBytesPerToken(gpt))
  const layer = 2 * 8 * 64 * 2
  assert.equal(kvBytes(gpt, tokens(10_000)), layer * 18 * (10_000 + 128))
  const r1 = model('deepseek-ai/DeepSeek-R1')
  assert.equal(kvBytesPerChip(r1, tokens(1000), 8), kvBytes(r1, tokens(1000)))
  const llama = model('meta-llama/Llama-3.1-70B')
  assert.equal(kvBytesPerChip(llama, tokens(1000), 16), kvBytes(llama, tokens(1000)) / 8, 'eight KV heads, not sixteen')
})

test('weights by format', () => {
  const gb = (value: number) => Math.round(value / 1e8) / 10
  assert.equal(gb(weightBytes(model('meta-llama/Llama-3.1-8B'))), 16.1)
  assert.equal(gb(weightBytes(model('meta-llama/Llama-3.1-70B'), weightFormats.fp8)), 70.6)
  assert.equal(gb(weightBytes(model('deepseek-ai/DeepSeek-R1'))), 671)
  assert.equal(gb(parameters(model('deepseek-ai/DeepSeek-R1')).routed), 653.9)
})

test('layers add up in every card, and names of copies lead to their base', () => {
  for (const { id, layers, attention, feedForward } of models) {
    assert.equal(feedForward.dense.layers + (feedForward.mixture?.layers ?? 0), layers, id)
    if (attention.kind === 'grouped') {
      assert.equal(attention.fullLayers + attention.windowLayers, layers, id)
      assert.equal(attention.heads % attention.kvHeads, 0, id)
    }
  }
  assert.equal(new Set(models.map((one) => one.id)).size, models.length)
  for (const one of models) assert.equal(findModel(one.id), one)
  assert.equal(findModel('nvidia/Llama-3.1-8B-Instruct-FP8'), findModel('meta-llama/Llama-3.1-8B'))
  assert.equal(findModel('Qwen/Qwen3-235B-A22B-FP8'), findModel('Qwen/Qwen3-235B-A22B'))
  assert.equal(findModel('someone/unheard-of-7B'), undefined)
})
