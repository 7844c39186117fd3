import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MeterSample } from '../../plant/energy/meter.ts'
import { watts } from '../../units/quantity.ts'
import { cpuMeter } from '../cpu/cpu.ts'
import { raplMeters } from '../rapl/rapl.ts'
import { check } from './check.ts'
import type { MeterReader } from './meter.ts'
import { openMeter } from './meter.ts'
import { all } from './query.ts'
import { openSamples, readSamples } from './sample-file.ts'
import { openStore } from './store.ts'
import { testHome } from './testing.ts'

const counting = (): MeterReader & { uj: number } => ({
  meter: 'm',
  idle: watts(1),
  uj: 0,
  read() {
    this.uj += 5_000_000
    return { kind: 'energy_counter', energy_uj: this.uj, wraps_at_uj: 1e12 }
  },
})

test('samples go on after a crash: a torn line is cut off, a missing interval is made again, none twice', () => {
  using home = testHome()
  const store = openStore(home)
  const reader = counting()
  const first = openMeter(store, home.meters, reader)
  for (let s = 0; s < 5; s++) first.sample(s * 1000)
  first.close()
  store.database.exec('delete from meter_interval where sequence = 5') // the crash came between the sample and its interval
  appendFileSync(join(home.meters, 'm.ndjson'), '{"kind":"energy_counter","sequ')

  const again = openMeter(store, home.meters, reader)
  again.sample(4000) // the clock has not moved: no sample, but what the crash left out is made good
  assert.equal(all(store.database, 'select 1 from meter_interval').length, 4)
  again.sample(9000)
  again.close()
  const intervals = all<{ sequence: number; energy_mj: number; from_ms: number }>(
    store.database,
    'select sequence, energy_mj, from_ms from meter_interval order by sequence',
  )
  assert.deepEqual(
    intervals.map(({ sequence, from_ms }) => [sequence, from_ms]),
    [
      [2, 0],
      [3, 1000],
      [4, 2000],
      [5, 3000],
      [6, 4000],
    ],
  )
  assert.deepEqual(
    [...readSamples(home.meters, 'm')].map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6],
  )
  assert.equal(check(store).conserved, true)
  store.close()
})

test('an interval that the store would not take comes with the next sample', () => {
  using home = testHome()
  const store = openStore(home)
  let full = false
  const meter = openMeter(
    {
      ...store,
      transaction(work) {
        if (full) throw new Error('full')
        return store.transaction(work)
      },
    },
    home.meters,
    counting(),
  )
  meter.sample(0)
  full = true
  assert.throws(() => meter.sample(1000), /full/)
  full = false
  meter.sample(2000)
  assert.equal(all(store.database, 'select 1 from meter_interval').length, 2)
  meter.close()
  store.close()
})

test('full files are put away and the oldest dropped; the last samples are found across the turn', () => {
  using home = testHome()
  const sample = (sequence: number): MeterSample => ({
    kind: 'energy_counter',
    meter: 'm',
    sequence,
    at_ms: sequence * 1000,
    energy_uj: sequence,
    wraps_at_uj: 100,
  })
  const file = openSamples(home.meters, 'm', 300)
  for (let n = 1; n <= 100; n++) file.append(sample(n))
  file.close()
  const kept = [...readSamples(home.meters, 'm')].map(({ sequence }) => sequence)
  assert(kept.length >= 16 && kept.length <= 40, `${kept.length}`)
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, n) => 101 - kept.length + n),
  )
  const again = openSamples(home.meters, 'm', 300)
  assert.equal(again.tail.at(-1)?.sequence, 100)
  assert(again.tail.length >= 2)
  again.close()
})

test('RAPL: one meter per package, parts left out; what cannot be read is said', () => {
  using home = testHome()
  const root = join(home.root, 'powercap')
  const domain = (name: string, title: string, energy: string): void => {
    mkdirSync(join(root, name), { recursive: true })
    writeFileSync(join(root, name, 'name'), `${title}\n`)
    writeFileSync(join(root, name, 'energy_uj'), `${energy}\n`)
    writeFileSync(join(root, name, 'max_energy_range_uj'), '262143328850\n')
  }
  assert.equal(raplMeters(watts(10), root).found, false)
  domain('intel-rapl:0', 'package-0', '123456')
  domain('intel-rapl:0:0', 'core', '99')
  domain('intel-rapl:1', 'package-1', '654321')
  domain('intel-rapl:2', 'psys', '1')
  const found = raplMeters(watts(10), root)
  assert(found.found)
  assert.deepEqual(
    found.meters.map(({ meter, idle }) => [meter, idle]),
    [
      ['rapl-0', 5],
      ['rapl-1', 5],
    ],
  )
  assert.deepEqual(found.meters[1]?.read(), { kind: 'energy_counter', energy_uj: 654321, wraps_at_uj: 262143328850 })
  domain('intel-rapl:1', 'package-1', 'nothing')
  assert.match(JSON.stringify(raplMeters(watts(10), root)), /cannot be read/)
  assert.equal(found.meters[1]?.read(), undefined)
})

test('CPU time: busy time of all cores, never going back; hidden cores are no reading', () => {
  const meter = cpuMeter(watts(10), watts(50))
  const [before, after] = [meter.read(), meter.read()]
  assert(before?.kind === 'cpu_time' && after?.kind === 'cpu_time')
  assert(after.busy_ms >= before.busy_ms && after.cores > 0)
  assert.equal(cpuMeter(watts(10), watts(50), () => []).read(), undefined)
})

test('the raw file is text that any tool reads', () => {
  using home = testHome()
  const store = openStore(home)
  const meter = openMeter(store, home.meters, counting())
  meter.sample(1000)
  meter.close()
  store.close()
  assert.deepEqual(JSON.parse(readFileSync(join(home.meters, 'm.ndjson'), 'utf8')), {
    meter: 'm',
    sequence: 1,
    at_ms: 1000,
    kind: 'energy_counter',
    energy_uj: 5_000_000,
    wraps_at_uj: 1e12,
  })
})
