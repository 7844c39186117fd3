import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clock } from './clock.ts'

test('time never goes back, and catches up after sleep', () => {
  let monotonic = 0
  let wall = 1_000_000
  const now = clock(
    () => monotonic,
    () => wall,
  )
  assert.equal(now(), 1000)
  monotonic += 500
  wall -= 60_000
  assert.equal(now(), 1000.5, 'a clock set back changes nothing')
  wall = 9_000_000
  assert.equal(now(), 9000, 'sleep is caught up')
  wall = 2_000_000
  assert.equal(now(), 9000)
})
