import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interval, type MeterSample } from '../../plant/energy/meter.ts'
import { watts } from '../../units/quantity.ts'
import type { Reading } from '../sqlite/meter.ts'
import { DeclaredMeter } from './declared.ts'
import { FedMeter } from './fed.ts'

const board = (name: string): FedMeter => new FedMeter(name, watts(5_000))

const samplesOf = (meter: string, readings: readonly Reading[]): MeterSample[] =>
  readings.map((reading, index) => ({ ...reading, meter, sequence: index + 1 }) as MeterSample)

test('an exporter that refreshes seldom makes long intervals, and no joule is lost or dated into one second', () => {
  const meter = board('gpu-aa')
  const readings: Reading[] = []
  for (let second = 0; second <= 120; second++) {
    // Refreshed every 30 s, asked every second: 400 W all the time.
    meter.energy(Math.floor(second / 30) * 30 * 400_000, second * 1000)
    readings.push(...[meter.read()].filter((reading) => reading !== undefined))
  }
  const samples = samplesOf('gpu-aa', readings)
  const intervals = samples.slice(1).map((after, index) => interval(samples[index] ?? after, after, watts(0)))
  assert.deepEqual(
    intervals.map(({ from_ms, to_ms, energy, grade }) => [from_ms, to_ms, Number(energy), grade]),
    [0, 30, 60, 90].map((at) => [at * 1000, (at + 30) * 1000, 12_000_000, 'measured']),
  )
})

/** The interval between two values of a board's counter. */
function between(first_mj: number, second_mj: number, elapsed_ms: number) {
  const meter = board('g')
  meter.energy(first_mj, 0)
  const before = meter.read()
  meter.energy(second_mj, elapsed_ms)
  const after = meter.read()
  assert(before && after)
  const [one, two] = samplesOf('g', [before, after])
  assert(one && two)
  return interval(one, two, watts(0))
}

test('what no board can draw was not drawn, whether the counter leapt forward, back, or from far up', () => {
  for (const [first, second] of [
    [1e9, 5e12],
    [5e12, 4.9e12],
    [8e12, 7.9e12],
    [5e12 - 1, 5e12 + 5_000_001],
  ] as const)
    assert.deepEqual(
      [between(first, second, 1000).energy, between(first, second, 1000).reset],
      [0n, true],
      `${first} → ${second} in a second`,
    )
  assert.deepEqual([between(5e12, 5e12 + 5_000_000, 1000).energy, between(9e12, 400, 1000).energy], [5_000_000n, 400n])
})

test('a counter that was reset is said to be, and counts from there', () => {
  const one = between(1e12, 500, 1000)
  assert.deepEqual([one.energy, one.reset], [500n, true])
})

test('without a meter, declared watts by whether there is work', () => {
  const meter = new DeclaredMeter('w', watts(100), watts(500))
  const readings: Reading[] = []
  for (let second = 0; second <= 4; second++) {
    meter.look(second > 2, second * 1000)
    readings.push({ ...meter.read(), at_ms: second * 1000 })
  }
  const samples = samplesOf('w', readings)
  const energies = samples.slice(1).map((after, i) => Number(interval(samples[i] ?? after, after, watts(100)).energy))
  assert.deepEqual(energies, [100_000, 100_000, 500_000, 500_000])
})
