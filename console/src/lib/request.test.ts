import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomes as known } from '../../../src/books/row.ts'
import { unknown } from './format.ts'
import { energyOf, kindOf, outcomes, sumOf, taken, toldClasses } from './request.ts'

test('classes add up, a missing count is not a zero, and a zero is one', () => {
  const tokens = { input_uncached: 90, cache_read: 10, cache_write: null, output_visible: null, reasoning: null }
  assert.equal(sumOf({ tokens }, 'input'), '100')
  assert.equal(sumOf({ tokens }, 'output'), unknown)
  assert.equal(sumOf({ tokens: { output_visible: 0 } }, 'output'), '0')
})

test('energy that no meter saw is not known; what is known says how well', () => {
  assert.equal(energyOf({ energy_mj: null, energy_grade: 'unknown', energy_final: false }), undefined)
  const known = energyOf({ energy_mj: '1520', energy_grade: 'estimated', energy_final: true })
  assert.deepEqual(known, { shown: '1.52 J', source: 'estimated', final: true })
})

test('a receipt leaves out what is zero or was not expected, and never what is missing', () => {
  const usage = { input_uncached: null, cache_read: { tokens: 0 }, cache_write: null, output_visible: { tokens: 3 } }
  assert.deepEqual(toldClasses(usage), [
    ['input_uncached', null],
    ['output_visible', { tokens: 3 }],
  ])
  assert.deepEqual(['complete', 'client_closed', 'timeout'].map(kindOf), ['good', 'none', 'bad'])
})

test('a limit of nothing is all taken, and one that nobody knows the rest of is unknown', () => {
  assert.deepEqual(
    [
      { left: '0', amount: '0' },
      { left: '5', amount: '20' },
      { left: '30', amount: '20' },
      { left: null, amount: '20' },
    ].map(taken),
    [1, 0.75, 0, null],
  )
})

test('requests can be looked for by every outcome there is', () => {
  assert.deepEqual([...outcomes].sort(), ['', 'failed', ...known].sort())
})
