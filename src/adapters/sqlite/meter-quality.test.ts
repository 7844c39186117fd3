import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watts } from '../../units/quantity.ts'
import { FedMeter } from '../meters/fed.ts'
import { check } from './check.ts'
import { openMeter } from './meter.ts'
import { meterFindings, metersSince, qualitySince } from './meter-quality.ts'
import { openStore } from './store.ts'
import { dice, testHome } from './testing.ts'

/** What happened to a meter, and how long each of it took, as the test itself counts it. */
interface Happened {
  measured: number
  estimated: number
  resets: number
}

/** A meter of power of which readings are missing now and then, or of energy that begins anew now and then. */
function live(seed: number, what: 'power' | 'energy', meter: FedMeter, sample: (now_ms: number) => void): Happened {
  const roll = dice(seed)
  const happened = { measured: 0, estimated: 0, resets: 0 }
  let at_ms = 1_000_000
  let energy_mj = 1_000_000
  const read = (step_ms: number, began: boolean): void => {
    at_ms += step_ms
    energy_mj = began ? roll(400_000) + 1 : energy_mj + 1 + roll(400) * step_ms
    if (what === 'energy') meter.energy(energy_mj, at_ms)
    else meter.power(roll(700), at_ms)
    sample(at_ms)
  }
  read(0, false)
  for (let second = 0; second < 300; second++) {
    const chance = roll(20)
    const step_ms = chance === 0 ? 61_000 + roll(60_000) : chance === 1 ? 3_001 + roll(50_000) : 1000
    const began = what === 'energy' && chance === 2 && energy_mj > 1_000_000
    read(step_ms, began)
    const lost = what === 'energy' ? began : step_ms > 60_000
    if (lost) happened.resets++
    else happened[what === 'power' && step_ms > 3000 ? 'estimated' : 'measured'] += step_ms
  }
  return happened
}

test('measured + estimated + unmetered = the span, whatever gaps and resets there were; each is found', () => {
  for (let seed = 1; seed <= 4; seed++)
    for (const what of ['power', 'energy'] as const) {
      using home = testHome()
      const store = openStore(home)
      const meter = new FedMeter('m', watts(5_000))
      const opened = openMeter(store, home.meters, meter)
      let now_ms = 0
      const happened = live(seed, what, meter, (at_ms) => {
        now_ms = at_ms
        opened.sample(at_ms)
      })
      const found = qualitySince(store, 'm', 0, now_ms)
      const told = `seed ${seed}, ${what}`
      assert.deepEqual(
        [found.measured_s, found.estimated_s, found.resets],
        [happened.measured / 1000, happened.estimated / 1000, happened.resets],
        told,
      )
      const span_s = (now_ms - 1_000_000) / 1000
      const sum = found.measured_s + found.estimated_s + found.unmetered_s
      assert(Math.abs(sum - span_s) < 1e-6, `${told}: ${sum} s of ${span_s} s`)
      const findings = meterFindings(store, 0, 1000)
      assert.equal(findings.filter(({ kind }) => kind !== 'estimated').length, happened.resets, told)
      // What was not metered was not drawn either, as far as anybody knows: no joule is made up for it.
      if (what === 'power')
        assert(
          findings.every(({ kind, energy_j }) => (kind === 'unmetered') === (energy_j === 0)),
          told,
        )
      assert.equal(check(store).conserved, true, told)
      opened.close()
      store.close()
    }
})

test('a span cuts the interval that it begins in; a meter without readings in it says so', () => {
  using home = testHome()
  const store = openStore(home)
  const meter = new FedMeter('m', watts(5_000))
  const opened = openMeter(store, home.meters, meter)
  for (const [energy_mj, at_ms] of [
    [1, 0],
    [300_001, 30_000],
    [600_001, 60_000],
  ] as const) {
    meter.energy(energy_mj, at_ms)
    opened.sample(at_ms)
  }
  const { measured_s, state, energy_j } = qualitySince(store, 'm', 20_000, 61_000)
  assert.deepEqual([measured_s, state, energy_j], [40, 'good', 600])
  assert.equal(qualitySince(store, 'm', 60_000, 61_000).state, 'no reading')
  assert.equal(qualitySince(store, 'm', 0, 600_000).state, 'silent')
  assert.deepEqual([metersSince(store, 0), metersSince(store, 60_000)], [['m'], []])
  opened.close()
  store.close()
})
