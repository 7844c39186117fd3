import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptId } from '../units/ids.ts'
import { id } from '../units/ids.ts'
import { heldTokenMs } from './window.ts'

const timeline = {
  attempt: id<AttemptId>('r.1'),
  begun_ms: 1000,
  first_ms: 2000,
  last_ms: 4000,
  input_uncached: 300,
  cache_read: 100,
  output: 50,
}

test('the cache of a request grows to its prompt, and from there by its answer', () => {
  assert.equal(heldTokenMs(timeline), 250 * 1000 + 425 * 2000)
  assert.equal(heldTokenMs({ ...timeline, output: 0, first_ms: null }), 250 * 3000, 'no token came: the prompt alone')
})
