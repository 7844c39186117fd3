import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StepCoefficients, StepWork } from '../plant/energy/step-energy.ts'
import { energyOf } from '../plant/energy/step-energy.ts'
import { id } from '../units/ids.ts'
import type { Observed, StepFit } from './fit.ts'
import { fitOf, observationsBetween, refit } from './fit.ts'

const truth: StepCoefficients = { step: 0.02, prefill: 0.004, prefill_context: 1e-6, decode: 0.05, kv_read: 2e-5 }

/** An interval's work: no two alike, and the same for the same number. */
const workAt = (n: number): StepWork => ({
  step_e9: (1 + ((n * 7) % 90)) * 1e9,
  prefill: (n * 379) % 2100,
  prefill_context: (n * 104_729) % 900_001,
  decode: (n * 53) % 211,
  kv_read: (n * 7919) % 60_013,
})

const seen = (from: number, to: number, of: StepCoefficients, noise = 0): Observed[] =>
  Array.from({ length: to - from }, (_, at): Observed => {
    const sequence = from + at + 1
    const work = workAt(sequence)
    const shaken = 1 + noise * Math.sin(sequence * 12.9898)
    return {
      meter: 'cpu',
      replica: id('embedded'),
      model: 'm',
      sequence,
      work,
      energy_mj: BigInt(Math.round(energyOf(work, of) * 1000 * shaken)),
    }
  })

test('what a step costs is learned once enough has been seen, with figures from what was not fitted', () => {
  assert.equal(refit(seen(0, observationsBetween - 10, truth), undefined, 1, 5), undefined)
  const fit = refit(seen(0, 80, truth), undefined, 1, 5)
  assert(fit)
  assert.deepEqual([fit.version, fit.fitted_ms, fit.sequence, fit.model, fit.observations], [1, 5, 80, 'm', 20])
  for (const term of Object.keys(truth) as (keyof StepCoefficients)[])
    assert(Math.abs(fit.coefficients[term] / truth[term] - 1) < 0.02, `${term} ${fit.coefficients[term]}`)
  assert(Math.abs(fit.residual_factor - 1) < 0.01)
})

test('a new version comes when the engine changed, and not for noise', () => {
  const first = refit(seen(0, 100, truth, 0.1), undefined, 1, 5)
  assert(first)
  for (let last = 160; last <= 400; last += 10)
    assert.equal(refit(seen(0, last, truth, 0.1).slice(-600), first, 2, 6), undefined, `at ${last}`)

  const slower = { ...truth, prefill: truth.prefill * 3, step: truth.step * 2 }
  let now: StepFit = first
  for (let last = 400; last <= 1200; last += 10) {
    const history = [...seen(0, 400, truth, 0.1), ...seen(400, last, slower, 0.1)].slice(-600)
    now = refit(history, now, now.version + 1, 6) ?? now
  }
  assert(now.version > 1 && now.version < 12, `${now.version} versions`)
  assert(now.error_median < 0.15, `${now.error_median}`)
  for (const term of ['step', 'prefill', 'decode'] as const)
    assert(Math.abs(now.coefficients[term] / slower[term] - 1) < 0.3, `${term} ${now.coefficients[term]}`)
})

test('work that is explained as well by tokens makes no fit: the simple rule stays', () => {
  const perToken = { step: 0, prefill: 0.01, prefill_context: 0, decode: 0.01, kv_read: 0 }
  assert.equal(refit(seen(0, 200, perToken, 0.2), undefined, 1, 5), undefined)
})

test('the fit of a key as it was: by version, by meter, by model', () => {
  const base = refit(seen(0, 100, truth), undefined, 1, 5)
  assert(base)
  const fits: StepFit[] = [
    base,
    { ...base, version: 2, model: 'n' },
    { ...base, version: 3 },
    { ...base, version: 4, meter: 'rapl-0' },
  ]
  assert.equal(fitOf(fits, base)?.version, 3)
  assert.equal(fitOf(fits, base, 2)?.version, 1)
  assert.equal(fitOf(fits, { ...base, model: 'n' }, 1), undefined)
  assert.equal(fitOf(fits, { ...base, meter: 'rapl-0' })?.version, 4)
})
