import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanoDollars } from '../units/amount.ts'
import type { CostDeclaration } from './cost.ts'
import { hour_ms } from './cost-hour.ts'
import { costPart } from './cost-part.ts'
import type { JobTerms } from './making.ts'
import { accountsOfJob, borneAfter, jobsOf, makingEnergy } from './making.ts'
import { purposes } from './purposes.ts'

const terms = (more: Partial<JobTerms>): JobTerms => ({
  per: 'job',
  amount: nanoDollars(1_000_000_007n),
  energy_mj: 3_600_000_001n,
  months: 1,
  tokens: null,
  ...more,
})
const declared = (version: number, from: number, more: Partial<JobTerms> = {}): CostDeclaration => ({
  version,
  kind: 'training',
  name: 'm/first',
  from_ms: from * hour_ms,
  declared_ms: 0,
  terms: terms(more),
  note: '',
})

test('by time or by tokens, the hours bear all of a job and no more, whatever the traffic', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const of = seed % 2 === 0 ? terms({ months: 1 + (seed % 3) }) : terms({ months: null, tokens: 7919 * seed })
    let [served, before, sum] = [0n, 0n, 0n]
    for (let hours = 1; hours <= 2300; hours++) {
      served += BigInt((hours * seed * 31) % 997)
      const after = borneAfter(of, hours, served)
      assert(after >= before, `seed ${seed}: nothing is given back`)
      sum += after - before
      before = after
    }
    assert.equal(sum, of.amount, `seed ${seed}`)
  }
  assert.equal(borneAfter(terms({}), 365, 0n), 500_000_003n, 'half of a month')
  assert.equal(borneAfter(terms({ months: null, tokens: 3 }), 999, 1n), 333_333_335n, 'a third of its tokens')
  assert.equal(borneAfter(terms({ months: null, tokens: 3 }), 999, 0n), 0n)
})

test('a later declaration of a job ends the one before; one that begins with it replaces it', () => {
  const spans = (...all: CostDeclaration[]) => jobsOf(all).map(({ version, from, to }) => [version, from, to])
  const end = Number.MAX_SAFE_INTEGER
  assert.deepEqual(spans(declared(1, 10)), [[1, 10, end]])
  assert.deepEqual(spans(declared(1, 10), declared(2, 20)), [
    [1, 10, 20],
    [2, 20, end],
  ])
  assert.deepEqual(spans(declared(1, 10), declared(2, 10)), [[2, 10, end]])
  assert.deepEqual(spans(declared(1, 10), declared(2, 5)), [
    [1, 10, end],
    [2, 5, 10],
  ])
})

test('shares: the energy of a job is what was declared, for as much of it as is borne', () => {
  const [job] = jobsOf([declared(1, 10)])
  assert(job)
  const { source: from, to } = accountsOfJob(job)
  const parts = [costPart({ from, to, amount: 500_000_003n, hour: 11 }), costPart({ from, to, amount: 9n, hour: 9 })]
  assert.deepEqual([...makingEnergy(parts, [job])], [['training', 1_799_999_998n]], 'an hour before it is not its own')
  const facility = { energy_mj: 5_400_000_000n, boundary: 'somewhere' }
  const [inference, training, ...others] = purposes({
    inference: 1_500_000_009n,
    making: parts.slice(0, 1),
    jobs: [job],
    facility,
  })
  assert.deepEqual([inference?.purpose, training?.purpose, others], ['inference', 'training', []])
  assert.equal(inference?.cost_share.value?.toFixed(6), '0.750000')
  assert.equal(training?.energy_share.value?.toFixed(6), '0.250000')
  assert.match(training?.energy_kwh.unit ?? '', /declared/)
  assert.deepEqual(purposes({ inference: 0n, making: [], jobs: [], facility: { ...facility, energy_mj: 0n } }), [])
})
