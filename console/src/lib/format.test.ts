import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { age, dollars, grouped, shown, text, unknown } from './format.ts'

test('figures as people read them', () => {
  const table: readonly [number | null, string, string][] = [
    [null, 'tokens/s', unknown],
    [Number.NaN, 'W', unknown],
    [0, 'tokens/s', '0 tokens/s'],
    [0.034, 'tokens/s', '0.034 tokens/s'],
    [3.1449, 'tokens/s', '3.14 tokens/s'],
    [1234, 'tokens', '1\u202f234 tokens'],
    [123_456, 'tokens', '123 k tokens'],
    [45_600_000, 'tokens', '45.6 M tokens'],
    [34.56, 'W', '34.6 W'],
    [1_250_000, 'W', '1.25 MW'],
    [0.0042, 'J', '4.20 mJ'],
    [812.4, 'ms', '812 ms'],
    [1534, 'ms', '1.53 s'],
    [240_000, 'ms', '4.00 min'],
    [0.2, 'USD/M tokens', '$0.20/M tokens'],
    [0.00001234, 'USD', '$0.000012'],
    [1234.5, 'USD/h', '$1\u202f235/h'],
    [0, 'USD', '$0'],
    [-23.489, 'USD/h', '\u2212$23.49/h'],
    [-42.4, '1', '\u22124240 %'],
    [0.5, '1', '50 %'],
    [0.0004, '1', '<0.1 %'],
    [0.012, '1', '1.2 %'],
  ]
  for (const [value, unit, expected] of table) assert.equal(text(value, unit), expected)
})

test('an amount that is not zero is never shown as zero', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (value) => {
      assert(Number(dollars(value).replaceAll('\u202f', '')) > 0, String(value))
      for (const unit of ['tokens/s', 'W', 'J', 'tokens/J'])
        assert(Number(shown(value, unit).number.replaceAll('\u202f', '')) > 0, `${value} ${unit}`)
    }),
  )
})

test('thousands stand apart, and an age is rough', () => {
  assert.equal(grouped(1234567), '1\u202f234\u202f567')
  const ages = [0, 1999, 2000, 59_000, 300_000, 7_200_000, 500_000_000].map(age)
  assert.deepEqual(ages, ['now', 'now', '2 s', '59 s', '5 min', '2 h', '6 d'])
})
