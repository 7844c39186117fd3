import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { Clock, clock, clockEnvironment } from './clock.ts'

test('time never goes back, and catches up after sleep', () => {
  let monotonic = 0
  let wall = 1_000_000
  const made = new Clock(
    () => monotonic,
    () => wall,
  )
  assert.equal(made.seconds(), 1000)
  monotonic += 500.5
  wall -= 60_000
  assert.deepEqual([made.seconds(), made.ms()], [1000.5005, 1_000_500], 'a clock set back changes nothing')
  wall = 9_000_000
  assert.equal(made.ms(), 9_000_000, 'sleep is caught up')
  wall = 2_000_000
  assert.equal(made.ms(), 9_000_000)
})

test('who is started after the clock was set back has the time of those before', () => {
  let monotonic = 700
  let wall = 1_000_000
  const read = [() => monotonic, () => wall] as const
  const launcher = new Clock(...read)
  monotonic += 1000
  wall -= 3_600_000
  const child = new Clock(...read, launcher.ahead_ms)
  assert.deepEqual([child.ms(), launcher.ms()], [1_001_000, 1_001_000])
  wall = 5_000_000 // slept: each finds out by itself
  assert.deepEqual([child.ms(), launcher.ms()], [5_000_000, 5_000_000])
})

test('a process goes on from the time of the one that started it, whatever the wall clock says', () => {
  const script = `Date.now = () => 1; const { clock } = await import(${JSON.stringify(join(import.meta.dirname, 'clock.ts'))}); console.log(clock.ms())`
  const before = clock.ms()
  const env = { ...process.env, ...clockEnvironment() }
  const told = Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { env }))
  assert(told >= before && told <= clock.ms(), `${before} ≤ ${told} ≤ ${clock.ms()}`)
})
