import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EnergyShare } from './receipt.ts'
import { attributionOf } from './receipt.ts'

const share = (more: Partial<EnergyShare>): EnergyShare => ({
  meter: 'cpu',
  sequence: 1,
  from_ms: 0,
  to_ms: 1000,
  grade: 'estimated',
  energy_mj: 40n,
  active_mj: 100n,
  posted_ms: 2000,
  fit: null,
  modelled_mj: null,
  attribution: 'step',
  ...more,
})

test('a receipt says by which grade, how, by which fits, and how far the model was from the meter', () => {
  const fitted = share({ fit: 3, modelled_mj: 80n })
  const told = (shares: readonly EnergyShare[], known = true) => {
    const { grade, how, fits, residual_factor } = attributionOf({ shares, known, final: true })
    return [grade, /Shapley/.test(how), /tokens/.test(how), fits, residual_factor]
  }
  assert.deepEqual(told([fitted]), ['step', true, false, [3], 1.25])
  assert.deepEqual(told([share({}), fitted, { ...fitted, fit: 2, modelled_mj: 120n }]), ['step', true, true, [2, 3], 1])
  assert.deepEqual(told([share({})]), ['step', false, true, [], null])
  assert.deepEqual(told([fitted, share({ attribution: 'window' })]), ['window', true, true, [3], 1.25])
  assert.deepEqual(told([], false), ['list', false, false, [], null])
})
