import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MeterInterval } from '../plant/energy/meter.ts'
import { noWork } from '../plant/energy/step-energy.ts'
import { millijoules } from '../units/amount.ts'
import { id } from '../units/ids.ts'
import type { Doing } from './divide.ts'
import { lessons } from './divide.ts'

const interval: MeterInterval = {
  meter: 'cpu',
  sequence: 7,
  from_ms: 0,
  to_ms: 1000,
  energy: millijoules(50_000n),
  idle: millijoules(10_000n),
  grade: 'estimated',
  reset: false,
}
const doing = (more: Partial<Doing> = {}): Doing => ({
  replica: id('embedded'),
  model: 'm',
  tokens: 10,
  did: { ...noWork, step_e9: 1e9, decode: 10 },
  cpu_us: 300_000,
  ...more,
})

test('an interval teaches when one model worked and all that it did is known', () => {
  const [lesson] = lessons(interval, [doing(), doing()])
  assert.deepEqual(
    [lesson?.meter, lesson?.sequence, lesson?.model, lesson?.work.decode, lesson?.energy_mj],
    ['cpu', 7, 'm', 20, 40_000n],
  )
  assert.deepEqual(lessons(interval, []), [])
  assert.deepEqual(lessons(interval, [doing(), doing({ model: 'n' })]), [])
  assert.deepEqual(lessons(interval, [doing(), doing({ did: noWork })]), [], 'an older log')
  assert.deepEqual(lessons({ ...interval, reset: true }, [doing()]), [])
})

test('where the meter estimates from CPU time, what the steps took themselves is the better word', () => {
  // 20 mJ a core-millisecond: 0.6 core-seconds of the steps, whatever else the machine did.
  const cpu = { ...interval, cpu_mj_per_s: 20_000 }
  assert.equal(lessons(cpu, [doing(), doing()])[0]?.energy_mj, 12_000n)
  assert.equal(lessons(cpu, [doing({ cpu_us: 0 })])[0]?.energy_mj, 40_000n, 'not in the log: the meter it is')
})
