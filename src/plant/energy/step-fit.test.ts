import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nonNegative } from './least-squares.ts'
import type { StepCoefficients, StepWork } from './step-energy.ts'
import { energyOf } from './step-energy.ts'
import type { Observation } from './step-fit.ts'
import { fewestObservations, fitSteps, qualityOf } from './step-fit.ts'

const real = fc.double({ min: -10, max: 10, noNaN: true })

test('non-negative least squares: no coefficient is negative, and none could be moved for the better', () => {
  const system = fc.integer({ min: 1, max: 5 }).chain((columns) =>
    fc.array(fc.tuple(fc.array(real, { minLength: columns, maxLength: columns }), real), {
      minLength: 8,
      maxLength: 25,
    }),
  )
  fc.assert(
    fc.property(system, (rows) => {
      const n = rows[0]?.[0].length ?? 0
      const gram = Array.from({ length: n }, (_, i) =>
        Array.from({ length: n }, (_, j) => rows.reduce((sum, [a]) => sum + (a[i] ?? 0) * (a[j] ?? 0), 0)),
      )
      const moment = Array.from({ length: n }, (_, i) => rows.reduce((sum, [a, b]) => sum + (a[i] ?? 0) * b, 0))
      const x = nonNegative(gram, moment)
      // Karush-Kuhn-Tucker: the slope is 0 where x > 0 and does not fall where x = 0.
      x.forEach((value, i) => {
        const slope = (gram[i] ?? []).reduce((sum, one, j) => sum + one * (x[j] ?? 0), 0) - (moment[i] ?? 0)
        const size = 1e-5 * (1 + Math.abs(moment[i] ?? 0) + (gram[i]?.[i] ?? 0))
        assert(value >= 0)
        assert(value > 0 ? Math.abs(slope) <= size : slope >= -size, `x ${value} slope ${slope}`)
      })
    }),
  )
})

const count = (max: number) => fc.integer({ min: 0, max })
const work: fc.Arbitrary<StepWork> = fc.record({
  step_e9: fc.integer({ min: 1, max: 500 }).map((steps) => steps * 1e9),
  prefill: count(4000),
  prefill_context: count(4_000_000),
  decode: count(2000),
  kv_read: count(900_000),
})
const planted: fc.Arbitrary<StepCoefficients> = fc.record({
  step: fc.double({ min: 1e-3, max: 1, noNaN: true }),
  prefill: fc.double({ min: 1e-4, max: 1e-2, noNaN: true }),
  prefill_context: fc.double({ min: 1e-8, max: 1e-6, noNaN: true }),
  decode: fc.double({ min: 1e-4, max: 1e-1, noNaN: true }),
  kv_read: fc.double({ min: 1e-8, max: 1e-5, noNaN: true }),
})

test('what was planted is found, and the modelled energies add up to the measured ones', () => {
  fc.assert(
    fc.property(
      fc.array(work, { minLength: fewestObservations, maxLength: 90 }),
      planted,
      fc.infiniteStream(fc.double({ min: 0.8, max: 1.25, noNaN: true })),
      (works, truth, noise) => {
        const exact = works.map((one): Observation => ({ work: one, energy_j: energyOf(one, truth) }))
        const found = fitSteps(exact)
        assert(found)
        const quality = qualityOf(found.coefficients, exact)
        assert(quality.error_p95 < 1e-6, `${JSON.stringify(found.coefficients)} of ${JSON.stringify(truth)}`)

        const noisy = exact.map((one): Observation => ({ ...one, energy_j: one.energy_j * Number(noise.next().value) }))
        const fitted = fitSteps(noisy)
        assert(fitted)
        for (const value of [...Object.values(fitted.coefficients), ...Object.values(fitted.errors)]) assert(value >= 0)
        assert(Math.abs(qualityOf(fitted.coefficients, noisy).residual_factor - 1) < 1e-3)
      },
    ),
    { numRuns: 40 },
  )
})

test('a truth with a zero is found as a zero, with no error bar of its own', () => {
  const works = Array.from(
    { length: 60 },
    (_, n): StepWork => ({
      step_e9: (1 + (n % 7)) * 1e9,
      prefill: (n * 37) % 101,
      prefill_context: (n * 7919) % 5003,
      decode: (n * 17) % 13,
      kv_read: (n * 104_729) % 9001,
    }),
  )
  const truth = { step: 0.2, prefill: 0.01, prefill_context: 0, decode: 0.05, kv_read: 1e-5 }
  const found = fitSteps(works.map((one) => ({ work: one, energy_j: energyOf(one, truth) })))
  assert(found)
  assert(found.coefficients.prefill_context < 1e-12)
  assert(Math.abs(found.coefficients.step - 0.2) < 1e-9)
})

test('too few observations make no fit; intervals without energy are none', () => {
  const one: Observation = {
    work: { step_e9: 1e9, prefill: 1, prefill_context: 1, decode: 1, kv_read: 1 },
    energy_j: 1,
  }
  assert.equal(fitSteps(new Array(fewestObservations - 1).fill(one)), undefined)
  assert.equal(fitSteps(new Array(500).fill({ ...one, energy_j: 0 })), undefined)
  assert(fitSteps(new Array(fewestObservations).fill(one)), 'equal rows say only one thing, and that is found')
})
