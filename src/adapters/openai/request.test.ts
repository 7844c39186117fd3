import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../units/json.ts'
import { embeddedAsk } from './embedded.ts'
import { parseRequest } from './request.ts'
import { unsupported } from './unsupported.ts'

const fields = ['model', 'messages', 'prompt', 'stop', 'stream', 'stream_options', 'n', 'tools', 'seed', 'max_tokens']
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant([{ role: 'user', content: 'x' }]),
  fc.constant([{ role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'image_url' }] }]),
  fc.constant([{ role: 'assistant', content: null, tool_calls: [] }]),
)

test('whatever is asked is understood or refused, and what is understood can be put to the engine', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...fields), odd), fc.constantFrom('chat', 'text'), (body, dialect) => {
      const parsed = parseRequest(dialect, body as JsonObject)
      if (!parsed.ok) return assert(parsed.refusal.message.length > 0)
      assert(parsed.request.promptEstimate >= 0)
      if (unsupported(parsed.request)) return
      const ask = embeddedAsk(parsed.request)
      assert.equal((ask.messages === undefined) !== (ask.text === undefined), true)
    }),
    { numRuns: 3000 },
  )
})

test('what a request says is what is taken from it', () => {
  const parsed = parseRequest('chat', {
    model: 'm',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'ab' },
          { type: 'text', text: 'cd' },
        ],
      },
    ],
    max_tokens: 5,
    max_completion_tokens: 7,
    stream: true,
    stream_options: { include_usage: true },
    stop: ['x', 'y'],
    top_k: 3,
    temperature: null,
  })
  assert(parsed.ok)
  assert.deepEqual([parsed.request.maxOutput, parsed.request.includeUsage, parsed.request.stream], [7, true, true])
  assert.deepEqual(embeddedAsk(parsed.request), {
    messages: [{ role: 'user', content: 'abcd' }],
    max_tokens: 7,
    stop: ['x', 'y'],
    sampling: { top_k: 3 },
  })
})

test('JSON that cannot be made a string of is refused, not thrown on', () => {
  const stubborn = { toString: 1, valueOf: 1 }
  const fields = [
    { response_format: { type: stubborn } },
    { tool_choice: { function: { name: stubborn } } },
    { tool_choice: stubborn },
    { tools: [{ type: 'function', function: { name: stubborn } }] },
    { messages: [{ role: stubborn, content: 'x' }] },
    { messages: [{ role: 'tool', tool_call_id: stubborn, content: 'x' }] },
    { top_logprobs: stubborn },
    { logit_bias: { 1: stubborn } },
    { stop: [stubborn] },
    { n: stubborn },
  ]
  for (const field of fields) {
    const parsed = parseRequest('chat', { model: 'm', messages: [{ role: 'user', content: 'x' }], ...field })
    assert(!parsed.ok || unsupported(parsed.request), JSON.stringify(field))
  }
})
