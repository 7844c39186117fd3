import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changed } from './change.ts'

test('a change is told by the fields that differ', () => {
  assert.equal(changed({ before: null, after: { id: 'a' } }), 'made')
  assert.equal(changed({ before: { id: 'a' }, after: null }), 'removed')
  assert.equal(changed({ before: null, after: null }), 'done')
  assert.equal(
    changed({ before: { id: 'a', amount: '1', note: null }, after: { id: 'a', amount: '2', note: 'x' } }),
    'amount: 1 → 2, note: none → x',
  )
})
