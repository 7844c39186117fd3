import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { passStops } from './stops.ts'

/** Passes the pieces one by one; what is held at the end is shown, as the engine does. */
function pass(pieces: readonly string[], stops: readonly string[]): { shown: string; hit: boolean } {
  let shown = ''
  let held = ''
  for (const piece of pieces) {
    const passed = passStops(held, piece, stops)
    shown += passed.show
    held = passed.held
    if (passed.hit !== undefined) return { shown, hit: true }
  }
  return { shown: shown + held, hit: false }
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 })
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
  maxLength: 4,
})

test('where the tokens were cut does not matter', () => {
  fc.assert(
    fc.property(text, stops, fc.array(fc.integer({ min: 0, max: 5 })), (whole, stops, sizes) => {
      const pieces: string[] = []
      for (let at = 0, turn = 0; at < whole.length; turn++) {
        const size = turn > 40 ? whole.length : (sizes[turn % Math.max(1, sizes.length)] ?? 1)
        pieces.push(whole.slice(at, at + size))
        at += size
      }
      assert.deepEqual(pass(pieces, stops), pass([...whole], stops))
      assert.deepEqual(pass([whole], stops), pass([...whole], stops))
    }),
  )
})

test('what is shown has no stop string and is the text before the first that is complete', () => {
  fc.assert(
    fc.property(text, stops, (whole, stops) => {
      const { shown, hit } = pass([...whole], stops)
      assert.ok(stops.every((stop) => !shown.includes(stop)))
      assert.ok(whole.startsWith(shown))
      assert.equal(
        hit,
        stops.some((stop) => whole.includes(stop)),
      )
      if (!hit) assert.equal(shown, whole)
    }),
  )
})

test('no more is held than may become a stop string', () => {
  assert.deepEqual(passStops('', 'hello wor', ['world']), { show: 'hello ', held: 'wor', hit: undefined })
  assert.deepEqual(passStops('wor', 'k', ['world']), { show: 'work', held: '', hit: undefined })
  assert.deepEqual(passStops('wor', 'ld!', ['world']), { show: '', held: '', hit: 'world' })
  assert.deepEqual(passStops('', 'aab', ['aac']), { show: 'aab', held: '', hit: undefined })
})
