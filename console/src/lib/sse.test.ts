import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Events } from './sse.ts'

test('events are the same however the text is cut', () => {
  const values = fc.array(fc.jsonValue(), { maxLength: 8 })
  fc.assert(
    fc.property(values, fc.array(fc.nat(20)), (values, cuts) => {
      const text = `: hello\n${values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')}data: [DONE]\n\n`
      const events = new Events()
      const found: unknown[] = []
      let at = 0
      for (const cut of [...cuts, text.length]) {
        found.push(...events.push(text.slice(at, at + cut)))
        at += cut
      }
      assert.deepEqual(found, JSON.parse(JSON.stringify(values)))
    }),
  )
})

test('what is no JSON, and what is no data, is passed over', () => {
  assert.deepEqual(new Events().push('data: {\nevent: x\nid: 1\r\ndata:7\r\n'), [7])
})
