import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cut, drawn } from './screen.ts'
import { short } from './top-view.ts'

test('a page fits its window: lines cut on the right, the rest below', () => {
  const text = drawn(['x'.repeat(50), 'second', 'third', 'fourth'], { columns: 10, rows: 4 })
  const lines = text.split('\r\n')
  assert.equal(lines.length - 1, 3)
  assert(text.includes(`${'x'.repeat(10)}\x1b[K`) && !text.includes('x'.repeat(11)))
  assert(!text.includes('fourth'))
})

test('colours take no room, and a letter of two halves is one', () => {
  assert.equal(cut('\x1b[31mabcdef\x1b[0m', 3), '\x1b[31mabc\x1b[0m')
  assert.equal(cut('🙂🙂🙂', 2), '🙂🙂')
})

const numbers: readonly (readonly [number | null, string | null])[] = [
  [null, null],
  [0, '0'],
  [0.0004567, '0.000457'],
  [0.1234, '0.123'],
  [12.345, '12.3'],
  [1234.5, '1235'],
  [-0.5, '-0.500'],
  [1e-12, '1.0e-12'],
]
for (const [value, expected] of numbers)
  test(`${value} is shown as ${expected}`, () => assert.equal(short(value), expected))
