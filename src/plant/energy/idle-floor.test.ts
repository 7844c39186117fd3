import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'
import { floorAfter } from './idle-floor.ts'

const after = (before: Watts | undefined, means: readonly number[]): number =>
  means.reduce<Watts | undefined>((floor, mean) => floorAfter(floor, watts(mean)), before) ?? 0

test('the floor is the first that was seen, falls at once and rises slowly', () => {
  assert.deepEqual([after(undefined, [90]), after(undefined, [90, 80]), after(watts(80), [140])], [90, 80, 81])
})

test('a floor of long ago is forgotten', () => {
  const floor = after(watts(40), Array(300).fill(110))
  assert(floor > 109 && floor < 110, `${floor} W`)
})
