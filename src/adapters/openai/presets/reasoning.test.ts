import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../units/json.ts'
import { type Reasoning, reasoningOf, withReasoning } from './reasoning.ts'
import { presetOf } from './table.ts'

const said: readonly (readonly [JsonObject, Reasoning | undefined])[] = [
  [{}, undefined],
  [{ reasoning_effort: 'high' }, { on: true, effort: 'high' }],
  [{ reasoning_effort: 'none' }, { on: false }],
  [{ reasoning: { effort: 'low' } }, { on: true, effort: 'low' }],
  [{ reasoning: { max_tokens: 2000 } }, { on: true, budget: 2000 }],
  [{ reasoning: { enabled: false } }, { on: false }],
  [{ reasoning: { exclude: true } }, undefined],
  [{ thinking: { type: 'enabled', budget_tokens: 100 } }, { on: true, budget: 100 }],
  [{ thinking: { type: 'disabled' } }, { on: false }],
]
for (const [body, wanted] of said)
  test(`${JSON.stringify(body)} asks for ${JSON.stringify(wanted)}`, () => assert.deepEqual(reasoningOf(body), wanted))

const on = { enable_thinking: true, thinking: true }
const off = { enable_thinking: false, thinking: false }
const budget = { reasoning: { max_tokens: 5000 } }
const told: readonly (readonly [string, JsonObject, JsonObject])[] = [
  ['vllm', { reasoning_effort: 'high' }, { reasoning_effort: 'high', chat_template_kwargs: on }],
  ['vllm', { reasoning_effort: 'xhigh' }, { reasoning_effort: 'high', chat_template_kwargs: on }],
  ['vllm', { reasoning_effort: 'none' }, { chat_template_kwargs: off }],
  ['vllm', budget, { thinking_token_budget: 5000, chat_template_kwargs: on }],
  ['sglang', budget, { chat_template_kwargs: { ...on, thinking_budget: 5000 } }],
  ['llama.cpp', budget, { thinking_budget_tokens: 5000, chat_template_kwargs: on }],
  ['tensorrt-llm', budget, { reasoning_effort: 'medium', chat_template_kwargs: on }],
  [
    'sglang',
    { reasoning_effort: 'low', chat_template_kwargs: { enable_thinking: false, mine: 1 } },
    { reasoning_effort: 'low', chat_template_kwargs: { enable_thinking: false, thinking: true, mine: 1 } },
  ],
]
for (const [product, body, wanted] of told)
  test(`${product} is told ${JSON.stringify(body)} in its own words`, () => {
    assert.deepEqual(withReasoning({ ...body, seed: 1 }, presetOf(product)), { ...wanted, seed: 1 })
  })

test('what was asked in another API’s language is told in the same words', () => {
  const translated = (product: string | null, asked: Reasoning, body: JsonObject = {}) =>
    withReasoning(body, presetOf(product), asked)
  assert.deepEqual(translated('vllm', { on: true, budget: 5000 }), {
    thinking_token_budget: 5000,
    chat_template_kwargs: on,
  })
  assert.deepEqual(translated('vllm', { on: false }), { chat_template_kwargs: off })
  assert.deepEqual(translated(null, { on: true, budget: 5000 }), { reasoning_effort: 'medium' })
  assert.deepEqual(translated(null, { on: true, budget: 5000 }, { reasoning_effort: 'low' }), {
    reasoning_effort: 'low',
  })
  assert.deepEqual(translated(null, { on: false }), {}, 'nothing there can switch it off')
})

test('an engine that is not known hears what was said; one that is not asked to think is told nothing', () => {
  for (const [body] of said) assert.equal(withReasoning(body, presetOf(null)), body)
  const silent = { seed: 1 }
  assert.equal(withReasoning(silent, presetOf('vllm')), silent)
})
