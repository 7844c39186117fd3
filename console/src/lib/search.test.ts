import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Entry, matching } from './search.ts'

const entry = (name: string, kind = 'page'): Entry => ({ name, kind, href: `#/${name}` })
const names = (found: readonly Entry[]): string[] => found.map(({ name }) => name)

test('the beginning of a word goes before the middle of one, a whole piece before scattered letters', () => {
  const entries = ['Prices', 'Requests', 'acme/support', 'gpt-prime', 'Applications'].map((name) => entry(name))
  assert.equal(names(matching(entries, 'pri', 9))[0], 'Prices')
  assert.equal(names(matching(entries, 'sup', 9))[0], 'acme/support')
  assert.deepEqual(names(matching(entries, 'zzz', 9)), [])
  assert.deepEqual(names(matching(entries, '', 2)), ['Prices', 'Requests'])
})

test('whatever is typed: only what has its letters in their order, and each at most once', () => {
  const text = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), text, (given, typed) => {
      const found = matching(
        given.map((name) => entry(name)),
        typed,
        50,
      )
      assert(found.length <= given.length)
      for (const { name, kind } of found) {
        let rest = `${name} ${kind}`.toLowerCase()
        for (const letter of typed.toLowerCase().replace(/\s+/g, '')) {
          assert(rest.includes(letter))
          rest = rest.slice(rest.indexOf(letter) + 1)
        }
      }
    }),
  )
})
