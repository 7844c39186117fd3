import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meanOver, type Series, valueAt } from './series.ts'

const at = (text: string): number => Date.parse(text)

const tariff: Series = {
  usual: 80n,
  rules: [
    { months: [6, 7, 8], weekdays: [1, 2, 3, 4, 5], hours: [12, 20], value: 250n },
    { hours: [22, 6], value: 40n },
  ],
}

test('a tariff goes by hour, weekday and season, and by the usual price else', () => {
  const cases: readonly (readonly [string, bigint])[] = [
    ['2027-07-05T12:00:00Z', 250n], // a Monday in summer, at noon
    ['2027-07-05T19:59:59Z', 250n],
    ['2027-07-05T20:00:00Z', 80n],
    ['2027-07-04T13:00:00Z', 80n], // a Sunday
    ['2027-01-04T13:00:00Z', 80n], // a Monday in winter
    ['2027-01-04T23:00:00Z', 40n],
    ['2027-01-04T05:59:59Z', 40n], // over midnight
    ['2027-01-04T06:00:00Z', 80n],
  ]
  for (const [text, value] of cases) assert.equal(valueAt(tariff, at(text)), value, text)
})

test('rules are in local time where an offset is given', () => {
  assert.equal(valueAt({ ...tariff, offset_min: 120 }, at('2027-01-04T20:00:00Z')), 40n)
  assert.equal(valueAt(tariff, at('2027-01-04T20:00:00Z')), 80n)
})

test('a point comes before a rule, from its moment on, and does not hold for ever', () => {
  const points = [
    { at_ms: at('2027-01-04T23:00:00Z'), value: 7n },
    { at_ms: at('2027-01-04T23:15:00Z'), value: 9n },
  ]
  const series = { ...tariff, points }
  assert.equal(valueAt(series, at('2027-01-04T22:59:59Z')), 40n)
  assert.equal(valueAt(series, at('2027-01-04T23:00:00Z')), 7n)
  assert.equal(valueAt(series, at('2027-01-04T23:20:00Z')), 9n)
  assert.equal(valueAt(series, at('2027-01-05T00:15:00Z')), 40n)
  assert.equal(
    meanOver(series, at('2027-01-04T23:00:00Z'), at('2027-01-05T00:00:00Z')),
    9n,
    '(3 × 7 + 9 × 9) / 12 = 8.5',
  )
})
