import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashKey } from './secret.ts'

test('keys are stored as HMAC-SHA-256 under the pepper, whatever the length of either', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 200, unit: 'binary' }), (pepper, key) => {
      assert.equal(hashKey(pepper, key), createHmac('sha256', pepper).update(key).digest('hex'))
    }),
  )
})
