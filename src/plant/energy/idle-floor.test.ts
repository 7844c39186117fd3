import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watts } from '../../units/quantity.ts'
import { IdleFloor } from './idle-floor.ts'

test('the floor is learned without work, falls, and never takes a working interval for rest', () => {
  const floor = new IdleFloor()
  const seen: number[] = []
  for (const [mean, worked] of [
    [400, true],
    [90, false],
    [60, true],
    [80, false],
    [95, false],
    [0, false],
  ] as const) {
    floor.learn(watts(mean), worked)
    seen.push(floor.watts)
  }
  assert.deepEqual(seen, [0, 90, 90, 80, 80, 80])
})

test('a floor of long ago is forgotten; that of a process before is the start', () => {
  const floor = new IdleFloor(watts(40))
  assert.equal(floor.watts, 40)
  for (let interval = 0; interval < 60; interval++) floor.learn(watts(110 + interval), false)
  assert.equal(floor.watts, 110)
})
