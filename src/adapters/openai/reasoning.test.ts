import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../units/json.ts'
import { reasoningOf, withReasoning } from './reasoning.ts'
import { parseRequest } from './request.ts'
import { unsupported } from './unsupported.ts'

const said: readonly (readonly [JsonObject, unknown])[] = [
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
const budget = { reasoning: { max_tokens: 5000 } }
const told: readonly (readonly [string, JsonObject, JsonObject])[] = [
  ['vllm', { reasoning_effort: 'high' }, { reasoning_effort: 'high', chat_template_kwargs: on }],
  ['vllm', { reasoning_effort: 'xhigh' }, { reasoning_effort: 'high', chat_template_kwargs: on }],
  ['vllm', { reasoning_effort: 'none' }, { chat_template_kwargs: { enable_thinking: false, thinking: false } }],
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
    assert.deepEqual(withReasoning({ ...body, seed: 1 }, product), { ...wanted, seed: 1 })
  })

test('an engine that is not known hears what was said; one that is not asked to think is told nothing', () => {
  for (const [body] of said) assert.equal(withReasoning(body, null), body)
  const silent = { seed: 1 }
  assert.equal(withReasoning(silent, 'vllm'), silent)
})

test('the embedded engine does not pretend to think as hard as it is told; not to think at all it can be told', () => {
  const refusal = (more: JsonObject) => {
    const parsed = parseRequest('chat', { model: 'm', messages: [{ role: 'user', content: 'x' }], ...more })
    assert(parsed.ok)
    return unsupported(parsed.request)?.param
  }
  assert.equal(refusal({ reasoning_effort: 'high' }), 'reasoning_effort')
  assert.equal(refusal({ reasoning: { max_tokens: 100 } }), 'reasoning')
  assert.equal(refusal({ thinking: { type: 'enabled' } }), 'thinking')
  for (const off of [
    { reasoning_effort: 'none' },
    { reasoning: { enabled: false } },
    { thinking: { type: 'disabled' } },
  ])
    assert.equal(refusal(off), undefined)
})
