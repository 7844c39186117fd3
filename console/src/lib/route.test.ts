import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashOf, placeOf, to, withQuery } from './route.ts'

test('a place survives the way through the address bar, whatever names are in it', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 })
  const filled = text.filter((value) => value !== '')
  const query = fc.dictionary(filled, filled, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.constantFrom('', 'models', 'requests'), text, query, (page, of, query) => {
      const place = { page, of: page === '' ? '' : of, query }
      const shown = new URL(hashOf(place), 'http://factory/').hash
      assert.deepEqual(placeOf(shown), place)
    }),
  )
})

test('a broken or foreign hash is some place, and never an error', () => {
  for (const hash of ['', '#', '#/', '#//', '#/a/%', '#?x', '#/requests?%', 'x'.repeat(9999)])
    assert.equal(typeof placeOf(hash).page, 'string', hash)
})

test('a query is changed by name, and an empty value takes its name out', () => {
  const place = placeOf(to('requests', '', { model: 'a', range: '1h' }))
  assert.equal(hashOf(withQuery(place, { model: '', outcome: 'failed' })), '#/requests?range=1h&outcome=failed')
})
