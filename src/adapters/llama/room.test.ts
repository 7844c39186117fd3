import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeRoom, type Resident } from './room.ts'

const one = (name: string, more: Partial<Resident> = {}): Resident => ({
  name,
  bytes: 4,
  busy: false,
  leaving: false,
  used: 0,
  since: 0,
  ...more,
})

test('the least recently used goes, an idle one first; nobody goes before his time', () => {
  const now = 10_000
  const room = (...residents: Resident[]) => makeRoom(residents, 4, 10, now, 3000)
  assert.deepEqual(room(one('a')), { verdict: 'fits' })
  assert.deepEqual(room(one('a', { used: 5 }), one('b', { used: 3 })), { verdict: 'leave', name: 'b' })
  assert.deepEqual(room(one('a', { used: 5 }), one('b', { used: 3, busy: true })), { verdict: 'leave', name: 'a' })
  assert.deepEqual(room(one('a', { busy: true, used: 5 }), one('b', { busy: true })), { verdict: 'leave', name: 'b' })
  assert.deepEqual(room(one('a', { since: 9_500 }), one('b', { used: 9, busy: true })), { verdict: 'leave', name: 'b' })
  assert.deepEqual(room(one('a', { leaving: true }), one('b')), { verdict: 'wait', ms: 1000 })
  assert.deepEqual(room(one('a', { since: 7_200 }), one('b', { since: 9_900 })), { verdict: 'wait', ms: 200 })
})

test('whoever obeys gets room, or waits for a reason; nothing is asked to leave that need not', () => {
  const resident = fc.record({
    bytes: fc.nat(9),
    busy: fc.boolean(),
    leaving: fc.boolean(),
    used: fc.nat(100),
    since: fc.nat(100),
  })
  fc.assert(
    fc.property(fc.array(resident, { maxLength: 6 }), fc.nat(20), (made, need) => {
      let residents = made.map((each, at): Resident => ({ ...each, name: `m${at}` }))
      const budget = 20
      for (let turn = 0, now = 100; ; turn++, now += 10) {
        assert(turn < 100, 'it comes to an end')
        const verdict = makeRoom(residents, need, budget, now, 50)
        const held = residents.reduce((sum, { bytes }) => sum + bytes, 0)
        if (verdict.verdict === 'fits') return assert(held + need <= budget)
        if (verdict.verdict === 'leave') {
          assert(held + need > budget)
          residents = residents.map((each) => (each.name === verdict.name ? { ...each, leaving: true } : each))
        } else residents = residents.filter(({ leaving }) => !leaving) // those that leave have gone
      }
    }),
    { numRuns: 1000 },
  )
})
