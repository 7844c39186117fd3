import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { energyOf, noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { SequenceStep } from '../plant/infrastructure/step.ts'
import { workOfStep } from '../plant/infrastructure/step-work.ts'
import { id } from '../units/ids.ts'
import { shapley } from './shapley.ts'
import { exactShapley, sampledShapley } from './testing-shapley.ts'

const sequence: fc.Arbitrary<SequenceStep> = fc.oneof(
  fc.record({
    attempt: fc.constant(id<SequenceStep['attempt']>('r-1/1')),
    prefill: fc.constant(0),
    decode: fc.constant(1),
    context: fc.integer({ min: 1, max: 30_000 }),
  }),
  fc.record({
    attempt: fc.constant(id<SequenceStep['attempt']>('r-2/1')),
    prefill: fc.integer({ min: 1, max: 2048 }),
    decode: fc.integer({ min: 0, max: 1 }),
    context: fc.nat(30_000),
  }),
)
const batch = fc.array(sequence, { minLength: 1, maxLength: 7 })
const joule = fc.double({ min: 0, max: 1, noNaN: true })
const anyCoefficients = fc.record({
  step: joule,
  prefill: joule,
  prefill_context: joule,
  decode: joule,
  kv_read: joule,
})

const near = (a: number, b: number, why = ''): void =>
  assert(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b)), `${a} is not ${b} ${why}`)
const total = (parts: readonly number[]): number => parts.reduce((sum, part) => sum + part, 0)

/** The step's energy had only these sequences been in it: the game that the closed form claims to solve. */
const gameOf =
  (sequences: readonly SequenceStep[], coefficients: Parameters<typeof energyOf>[1]) =>
  (players: number): number => {
    const playing = sequences.filter((_, at) => players & (1 << at))
    if (playing.length === 0) return 0
    return workOfStep({ sequences: playing }).reduce((sum, work) => sum + energyOf(work, coefficients), 0)
  }

test('the closed form is the Shapley value, by exact enumeration', () => {
  fc.assert(
    fc.property(batch, anyCoefficients, (sequences, coefficients) => {
      const game = gameOf(sequences, coefficients)
      const exact = exactShapley(game, sequences.length)
      shapley({ sequences }, coefficients).forEach((part, at) => {
        near(part, exact[at] ?? Number.NaN)
      })
    }),
    { numRuns: 60 },
  )
})

test('sampled orders come to the same, so that the sampling can judge where nothing closed is known', () => {
  const sequences = [100, 2000, 30, 7].map(
    (context): SequenceStep => ({ attempt: id(`r-${context}/1`), prefill: 0, decode: 1, context }),
  )
  const coefficients = { step: 5, prefill: 0, prefill_context: 0, decode: 0.5, kv_read: 0.001 }
  const sampled = sampledShapley(gameOf(sequences, coefficients), 4, 4000, dice(7))
  shapley({ sequences }, coefficients).forEach((part, at) => {
    assert(Math.abs(part / (sampled[at] ?? 0) - 1) < 0.05, `${part} ${sampled[at]}`)
  })
})

/** Repeatable chance (a linear congruential generator, its high bits). */
function dice(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
}

test('efficiency: the parts are the step; symmetry: equals pay the same; additivity: under the sum of two models the sum', () => {
  fc.assert(
    fc.property(batch, sequence, anyCoefficients, anyCoefficients, (sequences, twin, one, other) => {
      const step = { sequences: [...sequences, twin, { ...twin, attempt: id<SequenceStep['attempt']>('r-9/1') }] }
      const parts = shapley(step, one)
      near(total(parts), energyOf(workOfStep(step).reduce(plusWork, noWork), one))
      near(
        total(parts),
        one.step + total(parts.map((part) => part - one.step / step.sequences.length)),
        'F is given away once',
      )
      assert.equal(parts.at(-1), parts.at(-2))
      const sum = {
        step: one.step + other.step,
        prefill: one.prefill + other.prefill,
        prefill_context: one.prefill_context + other.prefill_context,
        decode: one.decode + other.decode,
        kv_read: one.kv_read + other.kv_read,
      }
      const others = shapley(step, other)
      shapley(step, sum).forEach((part, at) => {
        near(part, (parts[at] ?? 0) + (others[at] ?? 0))
      })
    }),
  )
})

test('null player: who adds nothing to any set pays nothing', () => {
  fc.assert(
    fc.property(batch, anyCoefficients, (sequences, coefficients) => {
      const idle: SequenceStep = { attempt: id('r-0/1'), prefill: 0, decode: 0, context: 500 }
      const parts = shapley({ sequences: [...sequences, idle] }, { ...coefficients, step: 0 })
      assert.equal(parts.at(-1), 0)
      assert(parts.every((part) => part >= 0))
    }),
  )
})

test('a prompt costs the same in one piece or in many, but for the steps that these take', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(cuts, fc.nat(5000), anyCoefficients, (pieces, cached, coefficients) => {
      let context = cached
      let split = noWork
      for (const prefill of pieces) {
        const [work = noWork] = workOfStep({ sequences: [{ attempt: id('r/1'), prefill, decode: 0, context }] })
        split = plusWork(split, work)
        context += prefill
      }
      const prefill = total(pieces)
      const [whole = noWork] = workOfStep({ sequences: [{ attempt: id('r/1'), prefill, decode: 0, context: cached }] })
      assert.deepEqual({ ...split, step_e9: 0 }, { ...whole, step_e9: 0 })
      near(energyOf(split, coefficients), energyOf(whole, coefficients) + coefficients.step * (pieces.length - 1))
    }),
  )
})
