import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../units/json.ts'
import { parseRequest } from './request.ts'
import { unsupported } from './unsupported.ts'

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
