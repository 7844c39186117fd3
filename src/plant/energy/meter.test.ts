import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { watts } from '../../units/quantity.ts'
import type { MeterSample } from './meter.ts'
import { interval } from './meter.ts'

const counter = (sequence: number, at_ms: number, energy_uj: number): MeterSample => ({
  kind: 'energy_counter',
  meter: 'rapl',
  sequence,
  at_ms,
  energy_uj,
  wraps_at_uj: 262_143_328_850,
})
const cpu = (sequence: number, at_ms: number, busy_ms: number): MeterSample => ({
  kind: 'cpu_time',
  meter: 'cpu',
  sequence,
  at_ms,
  busy_ms,
  cores: 2,
  idle_watts: 10,
  full_watts: 50,
})

test('a counter is measured: parts add up to the whole, wrap included', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 50_000_000_000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 262_143_328_849 }), steps, (start, increments) => {
      let [energy, sum, before] = [start, 0n, counter(0, 0, start)]
      increments.forEach((increment, n) => {
        energy += increment
        const after = counter(n + 1, (n + 1) * 1000, energy % 262_143_328_850)
        const one = interval(before, after, watts(5))
        // A wrap from the lower half looks like a reset: such a step is larger than half the range, which a second is not.
        if (!one.reset) sum += one.energy
        else sum += BigInt(Math.floor(energy / 1000) - Math.floor((energy - increment) / 1000))
        before = after
      })
      const whole = BigInt(Math.floor(energy / 1000) - Math.floor(start / 1000))
      const error = sum - whole
      assert(error <= BigInt(increments.length) && error >= -BigInt(increments.length), `${sum} ${whole}`)
    }),
  )
})

test('CPU time gives idle watts at rest and full watts when busy, and says that it is estimated', () => {
  assert.deepEqual(
    [
      interval(cpu(1, 0, 0), cpu(2, 1000, 0), watts(10)).energy,
      interval(cpu(1, 0, 0), cpu(2, 1000, 2000), watts(10)).energy,
    ],
    [10_000n, 50_000n],
  )
  const half = interval(cpu(1, 0, 0), cpu(2, 1000, 1000), watts(10))
  assert.equal(half.energy, 30_000n)
  assert.equal(half.idle, 10_000n)
  assert.equal(half.grade, 'estimated')
})

test('a counter that starts anew is a reset, never a negative energy', () => {
  const one = interval(counter(1, 0, 9_000_000), counter(2, 1000, 2_000_000), watts(5))
  assert.equal(one.reset, true)
  assert.equal(one.energy, 2_000n)
  assert.equal(interval(cpu(1, 0, 5000), cpu(2, 1000, 10), watts(10)).reset, true)
})

test('the idle floor is never more than what was drawn', () => {
  assert.equal(interval(counter(1, 0, 0), counter(2, 1000, 1_000_000), watts(5)).idle, 1000n)
})

const power = (sequence: number, at_ms: number, watts: number): MeterSample => ({
  kind: 'power',
  meter: 'pdu',
  sequence,
  at_ms,
  watts,
})

test('power is the mean of its two readings over the time, surer when they are near, unknown when they are far', () => {
  const cases: readonly (readonly [seconds: number, energy: bigint, grade: string, reset: boolean])[] = [
    [1, 150_000n, 'measured', false],
    [3, 450_000n, 'measured', false],
    [4, 600_000n, 'estimated', false],
    [60, 9_000_000n, 'estimated', false],
    [61, 0n, 'estimated', true],
  ]
  for (const [seconds, energy, grade, reset] of cases) {
    const one = interval(power(1, 0, 100), power(2, seconds * 1000, 200), watts(40))
    assert.deepEqual([one.energy, one.grade, one.reset], [energy, grade, reset], `${seconds} s`)
    assert(one.idle <= one.energy)
  }
})
