import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { edits, nearest } from './nearest.ts'
import { dateMs, durationMs, expiryMs, monthStartMs } from './when.ts'

test('edits are a distance', () => {
  const word = fc.string({ maxLength: 8 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(edits(a, b), edits(b, a))
      assert.equal(edits(a, b) === 0, a === b)
      assert(edits(a, b) <= Math.max(a.length, b.length))
    }),
  )
})

test('the nearest word is near', () => {
  assert.equal(nearest('tenat', ['tenant', 'app']), 'tenant')
  assert.equal(nearest('prot', ['port', 'host']), 'port')
  assert.equal(nearest('zebra', ['tenant', 'app']), undefined)
})

test('times: durations and dates, and nothing that only looks like one', () => {
  assert.equal(durationMs('12h', 'x'), 43_200_000)
  assert.equal(expiryMs('30d', 5), 5 + 30 * 86_400_000)
  assert.equal(dateMs('2027-01-31', 'x'), Date.UTC(2027, 0, 31))
  assert.equal(dateMs('2027-01-31T12:00', 'x'), Date.UTC(2027, 0, 31, 12))
  assert.equal(dateMs('2027-01-31T12:00:00+01:00', 'x'), Date.UTC(2027, 0, 31, 11))
  assert.equal(monthStartMs(Date.UTC(2028, 1, 29, 23, 59)), Date.UTC(2028, 1))
  for (const text of ['', '30', 'd', '0d', '-1d', '1y', '99999999d', '1.5h'])
    assert.throws(() => durationMs(text, 'x'), text)
  for (const text of ['2027', '2027-13-01', '2027-02-30', '31.1.2027', '2027-01-01T25:00'])
    assert.throws(() => dateMs(text, 'x'), text)
})
