import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alarmText, bar, doneText, type PowerLimit, upcoming } from './power.ts'

const limit = (more: Partial<PowerLimit> = {}): PowerLimit => ({
  name: 'site',
  watts: 1000,
  other_watts: 0,
  engines: null,
  devices: false,
  now_watts: 600,
  state: { drawn_watts: 500, planned_watts: 590, reserved_watts: 0, binds: true },
  events: [],
  ...more,
})

test('a bar is as long as the largest of what it shows', () => {
  assert.deepEqual(bar(limit()), { drawn: 50, planned: 59, limit: 60 })
  const over = bar(limit({ state: { drawn_watts: 2000, planned_watts: 590, reserved_watts: 0, binds: true } }))
  assert.deepEqual(over, { drawn: 100, planned: 29.5, limit: 30 })
  assert.deepEqual(bar(limit({ state: null })), { drawn: 0, planned: 0, limit: 60 })
})

test('events that are over are left out, the next one first', () => {
  const event = (id: string, from: string, until: string) => ({ id, of: 'site', watts: 1, from, until, note: '' })
  const events = [
    event('later', '2027-01-03T00:00:00Z', '2027-01-04T00:00:00Z'),
    event('over', '2027-01-01T00:00:00Z', '2027-01-01T01:00:00Z'),
    event('now', '2027-01-01T00:00:00Z', '2027-01-02T12:00:00Z'),
  ]
  const found = upcoming([limit({ events })], Date.parse('2027-01-02T00:00:00Z'))
  assert.deepEqual(
    found.map(({ id }) => id),
    ['now', 'later'],
  )
})

test('what is done and what is wrong is told in sentences', () => {
  const settings = [
    { load: 'a', engines: { a: 0 }, power_watts: null },
    { load: 'b+c', engines: { b: 4, c: 4 }, power_watts: 300 },
  ]
  assert.deepEqual(doneText({ settings, held: [{ model: 'm', slo: 'batch' }] }), [
    'a takes no requests',
    'b+c is held to 300 W',
    'b takes 4 at once',
    'c takes 4 at once',
    'batch requests of m wait',
  ])
  assert.match(alarmText({ kind: 'over', limit: 'site', watts: 12.4 }), /^site is above the limit now \(12 W\)$/)
})
