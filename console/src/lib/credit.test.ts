import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credit } from './credit.ts'
import { lastingFirst, nextEnd } from './credit.ts'

const credit = (id: string, state: Credit['state'], until: string | null): Credit => ({
  id,
  kind: 'prepaid',
  state,
  usd: '5',
  left_usd: '5',
  from: '2027-01-01T00:00:00.000Z',
  until,
  returned: false,
})
const given = [
  credit('over', 'ended', '2027-01-31T00:00:00.000Z'),
  credit('late', 'in use', '2027-12-31T00:00:00.000Z'),
  credit('spent', 'used up', '2027-03-31T00:00:00.000Z'),
  credit('waits', 'later', '2027-06-30T00:00:00.000Z'),
  credit('stays', 'in use', null),
]

test('credits that pay or will stand first; the next end is of one of them', () => {
  assert.deepEqual(
    lastingFirst(given).map(({ id }) => id),
    ['late', 'waits', 'stays', 'over', 'spent'],
  )
  assert.equal(nextEnd(given)?.id, 'waits')
  assert.equal(nextEnd(given.filter(({ until }) => until === null)), undefined)
})
