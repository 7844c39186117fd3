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

test('MIG instances: shares of the time since the last reading add up; what was silent, cut anew or not renewed for long is not told', () => {
  const meter = board('g')
  const told = (
    second: number,
    instances: Readonly<Record<string, readonly [string, number]>>,
  ): Reading['instances'] => {
    const of = Object.entries(instances).map(([name, [profile, active]]) => [name, { profile, active }] as const)
    meter.energy(second + 1, second * 1000, new Map(of))
    return meter.read()?.instances
  }
  const [large, small] = ['3g.71gb', '1g.18gb'] as const
  told(0, { '1': [large, 0.9], '2': [small, 0] })
  assert.deepEqual(told(10, { '1': [large, 0.5], '2': [small, 0.25] }), {
    '1': { profile: large, busy_us: 5_000_000 },
    '2': { profile: small, busy_us: 2_500_000 },
  })
  assert.deepEqual(told(20, { '1': [large, 1] }), { '1': { profile: large, busy_us: 15_000_000 } })
  assert.deepEqual(told(30, { '1': [small, 1], '2': [small, 1] }), {
    '1': { profile: small, busy_us: 0 },
    '2': { profile: small, busy_us: 0 },
  })
  assert.equal(told(100, { '1': [small, 1] }), undefined, '70 s: the share tells of the last few only')
  meter.energy(102, 110_000, new Map([['1', { profile: small, active: 1 }]]))
  meter.energy(102, 111_000, new Map([['1', { profile: small, active: 1 }]]))
  assert.deepEqual(
    meter.read()?.instances,
    { '1': { profile: small, busy_us: 0 } },
    'the same counter: the same reading',
  )
})

test('an interval knows the activity of instances that were told of at both ends and were the same', () => {
  const at = (second: number, instances?: MeterSample['instances']) =>
    ({
      meter: 'g',
      sequence: second,
      at_ms: second * 1000,
      kind: 'power',
      watts: 100,
      ...(instances && { instances }),
    }) as const
  const busy = (profile: string, busy_us: number) => ({ profile, busy_us })
  for (const [first, second, found] of [
    [{ '1': busy('1g', 5), '2': busy('1g', 5) }, { '1': busy('1g', 7), '2': busy('2g', 9) }, { '1': busy('1g', 2) }],
    [{ '1': busy('1g', 5) }, { '1': busy('1g', 4) }, undefined],
    [undefined, { '1': busy('1g', 4) }, undefined],
    [{ '1': busy('1g', 5) }, undefined, undefined],
  ] as const)
    assert.deepEqual(interval(at(1, first), at(2, second), watts(0)).instances, found)
})
