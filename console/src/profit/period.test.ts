import assert from 'node:assert/strict'
import { test } from 'node:test'
import { datesOf, periodOf } from './period.ts'

const now = Date.UTC(2027, 0, 15, 13)

test('a period is whole days of UTC, from its first until now or until the day after its last', () => {
  assert.deepEqual(datesOf({}, now), { from: '2027-01-09', to: undefined })
  assert.deepEqual(datesOf({ period: 'today' }, now), { from: '2027-01-15', to: undefined })
  assert.deepEqual(datesOf({ period: 'this month' }, now), { from: '2027-01-01', to: undefined })
  assert.deepEqual(datesOf({ period: 'last month' }, now), { from: '2026-12-01', to: '2027-01-01' })
  assert.deepEqual(datesOf({ period: 'never' }, now), datesOf({}, now))
})

test('dates go before a period, and then none is chosen', () => {
  const query = { period: 'today', from: '2026-11-03', to: '2026-11-05' }
  assert.deepEqual(datesOf(query, now), { from: '2026-11-03', to: '2026-11-05' })
  assert.deepEqual([periodOf(query), periodOf({}), periodOf({ period: 'today' })], [undefined, '7 days', 'today'])
})
