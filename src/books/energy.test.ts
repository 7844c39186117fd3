import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { IdleClaim } from '../plant/energy/idle.ts'
import type { MeterInterval } from '../plant/energy/meter.ts'
import type { StepCoefficients, StepWork } from '../plant/energy/step-energy.ts'
import { energyOf, noWork, plusWork } from '../plant/energy/step-energy.ts'
import { millijoules } from '../units/amount.ts'
import { attemptId, id } from '../units/ids.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'
import type { Work } from './energy.ts'
import { attribute } from './energy.ts'
import type { StepFit } from './fit.ts'
import { divideIdle } from './idle.ts'

const count = (max: number) => fc.integer({ min: 0, max })
const did: fc.Arbitrary<StepWork> = fc.record({
  step_e9: fc.integer({ min: 1, max: 1000 }).map((thousandths) => thousandths * 1e6),
  prefill: count(2000),
  prefill_context: count(2_000_000),
  decode: count(100),
  kv_read: count(500_000),
})
const joule = fc.double({ min: 0, max: 0.01, noNaN: true })
const coefficients: fc.Arbitrary<StepCoefficients> = fc.record({
  step: joule,
  prefill: joule,
  prefill_context: fc.double({ min: 0, max: 1e-6, noNaN: true }),
  decode: joule,
  kv_read: fc.double({ min: 0, max: 1e-6, noNaN: true }),
})

const fitOn = (model: string, learned: StepCoefficients, version = 1, meter = 'cpu'): StepFit => ({
  version,
  meter,
  replica: id('embedded'),
  model,
  fitted_ms: 0,
  sequence: 1,
  coefficients: learned,
  errors: { step: 0, prefill: 0, prefill_context: 0, decode: 0, kv_read: 0 },
  observations: 60,
  residual_factor: 1,
  error_median: 0,
  error_p95: 0,
})

const workOf = (one: StepWork, n: number, bearer: Account = accounts.tenant(id('t'), id('a')), model = 'm'): Work => ({
  attempt: attemptId(id(`gw-${n}`), 1),
  replica: id('embedded'),
  model,
  tokens: one.prefill + one.decode,
  did: one,
  cpu_us: 0,
  bearer,
})

const intervalOf = (energy: bigint, idle: bigint, claims: readonly IdleClaim[] = []): MeterInterval => ({
  meter: 'cpu',
  sequence: 4,
  from_ms: 0,
  to_ms: 1000,
  energy: millijoules(energy),
  idle: millijoules(idle < energy ? idle : energy),
  grade: 'estimated',
  reset: false,
  claims,
})

const sum = (transfers: readonly Transfer[]): bigint => transfers.reduce((total, { amount }) => total + amount, 0n)
const energy = fc.bigInt(0n, 10n ** 9n)
const claim: fc.Arbitrary<IdleClaim> = fc.oneof(
  fc.record({
    kept: fc.constant('reserved' as const),
    tenant: fc.constantFrom(id<never>('t'), id<never>('u')),
    application: fc.constant(id<never>('a')),
    share_ppm: count(800_000),
  }),
  fc.record({
    kept: fc.constant('stranded' as const),
    cause: fc.constantFrom('drained' as const, 'fault' as const, 'cap' as const),
    share_ppm: count(800_000),
  }),
)

test('requests + waste + idle = the interval, to the millijoule, whatever is known of the work', () => {
  const bearer = fc.constantFrom(accounts.tenant(id('t'), id('a')), accounts.waste('crash'), accounts.waste('foreign'))
  const some = fc.array(fc.tuple(fc.oneof(did, fc.constant(noWork)), bearer, fc.constantFrom('m', 'n')), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(
      energy,
      energy,
      some,
      coefficients,
      fc.array(claim, { maxLength: 4 }),
      (drawn, floor, list, learned, claims) => {
        const interval = intervalOf(drawn, floor, claims)
        const work = list.map(([one, who, model], n) => workOf(one, n, who, model))
        const { transfers, division } = attribute(interval, work, [fitOn('m', learned)])
        assert.equal(sum(transfers), drawn)
        assert(transfers.every(({ amount }) => amount > 0n))
        assert.equal(new Set(transfers.map((one) => one.id)).size, transfers.length)
        const idle = sum(transfers.filter(({ request }) => request === null))
        const busy = work.some(({ tokens, did: done }) => tokens > 0 || done.step_e9 > 0)
        assert.equal(idle, busy ? interval.idle : drawn)
        const allKnown = work.every((one) => one.model === 'm' && one.did.step_e9 > 0)
        if (division.fit !== null) assert(allKnown || work.every((one) => one.tokens === 0 || one.model === 'm'))
        assert.deepEqual(attribute(interval, work, [fitOn('m', learned)]).transfers, transfers, 'the same for ever')
      },
    ),
  )
})

test('each part is the modelled energy scaled to the meter, to a millijoule; equals get equal parts', () => {
  fc.assert(
    fc.property(
      energy,
      fc.array(did, { minLength: 1, maxLength: 8 }),
      did,
      coefficients,
      (drawn, list, twin, learned) => {
        const work = [...list, twin, twin].map((one, n) => workOf(one, n))
        const { transfers, division } = attribute(intervalOf(drawn, 0n), work, [fitOn('m', learned)])
        const part = (n: number): bigint => transfers.find((one) => one.id === `cpu/4/gw-${n}/1`)?.amount ?? 0n
        const modelled = work.map((one) => energyOf(one.did, learned))
        const whole = modelled.reduce((total, one) => total + one, 0)
        fc.pre(whole > 1e-3)
        assert.equal(division.fit, 1)
        assert(Math.abs(Number(division.modelled_mj) - whole * 1000) <= 1)
        work.forEach((_, n) => {
          const should = (Number(drawn) * (modelled[n] ?? 0)) / whole
          const rounded = (Number(drawn) * work.length * 1e-9) / whole // weights are whole nanojoules
          assert(Math.abs(Number(part(n)) - should) <= 1 + rounded, `${part(n)} ${should}`)
        })
        const difference = part(work.length - 2) - part(work.length - 1)
        assert(difference === 0n || difference === 1n, 'the earlier of two equals gets the millijoule that is left')
      },
    ),
  )
})

test('an interval cut in two gives each the same, where the meter follows the model in both', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(did, did), { minLength: 1, maxLength: 8 }), coefficients, (list, learned) => {
      const drawn = (works: readonly StepWork[]): bigint =>
        BigInt(Math.round(works.reduce((total, one) => total + energyOf(one, learned) * 1000, 0)))
      const parts = (works: readonly StepWork[]): bigint[] => {
        const { transfers } = attribute(
          intervalOf(drawn(works), 0n),
          works.map((one, n) => workOf(one, n)),
          [fitOn('m', learned)],
        )
        return works.map((_, n) => transfers.find((one) => one.id === `cpu/4/gw-${n}/1`)?.amount ?? 0n)
      }
      const first = parts(list.map(([one]) => one))
      const second = parts(list.map(([, one]) => one))
      parts(list.map(([a, b]) => plusWork(a, b))).forEach((whole, n) => {
        const off = whole - (first[n] ?? 0n) - (second[n] ?? 0n)
        assert(off >= -3n && off <= 3n, `${whole} mJ whole, ${first[n]} + ${second[n]} mJ in two`)
      })
    }),
  )
})

test('without coefficients, or without word from the steps, tokens decide; a newer fit does not change what an older one did', () => {
  const work = [
    workOf({ ...noWork, step_e9: 1e9, prefill: 300 }, 1),
    workOf({ ...noWork, step_e9: 1e9, decode: 100 }, 2),
  ]
  const learned = { step: 0, prefill: 0.001, prefill_context: 0, decode: 0.009, kv_read: 0 }
  const parts = (list: readonly Work[], fits: readonly StepFit[]) => {
    const { transfers, division } = attribute(intervalOf(4000n, 0n), list, fits)
    return [division.fit, ...transfers.filter(({ request }) => request !== null).map(({ amount }) => Number(amount))]
  }
  assert.deepEqual(parts(work, []), [null, 3000, 1000])
  assert.deepEqual(parts(work, [fitOn('m', learned)]), [1, 1000, 3000])
  assert.deepEqual(parts(work, [fitOn('n', learned), fitOn('m', learned, 2, 'rapl-0')]), [null, 3000, 1000])
  assert.deepEqual(parts([...work, { ...workOf(noWork, 3), tokens: 400 }], [fitOn('m', learned)]), [
    null,
    1500,
    500,
    2000,
  ])
  const better = fitOn('m', { ...learned, decode: 0.012 }, 2)
  assert.equal(parts(work, [fitOn('m', learned), better])[0], 2)
})

test('who got so far as a batch and no token bears a part of its step', () => {
  const failed = workOf({ ...noWork, step_e9: 5e8 }, 1, accounts.waste('upstream_error'))
  const { transfers } = attribute(intervalOf(100n, 40n), [failed], [])
  assert.deepEqual(
    transfers.map(({ to, amount }) => [to, amount]),
    [
      [accounts.waste('upstream_error'), 60n],
      [accounts.idle(), 40n],
    ],
  )
})

test('idle has three accounts, and they are all of it', () => {
  fc.assert(
    fc.property(energy, fc.array(claim, { maxLength: 6 }), (whole, claims) => {
      const parts = divideIdle(whole, claims)
      assert.equal(
        parts.reduce((total, { amount }) => total + amount, 0n),
        whole,
      )
      assert(
        parts.every(({ to, amount }) => amount >= 0n && /^idle\/(shared-pool$|reserved-warm\/|stranded\/)/.test(to)),
      )
      assert.equal(new Set(parts.map(({ to }) => to)).size, parts.length)
      if (claims.reduce((total, { share_ppm }) => total + share_ppm, 0) >= 1_000_000)
        assert.equal(parts.find(({ to }) => to === accounts.idle())?.amount, 0n, 'nothing is left for the pool')
    }),
  )
  const half = {
    kept: 'reserved',
    tenant: id<never>('acme'),
    application: id<never>('chat'),
    share_ppm: 500_000,
  } as const
  const gone = { kept: 'stranded', cause: 'drained', share_ppm: 250_000 } as const
  assert.deepEqual(
    divideIdle(1000n, [half, gone]).map(({ to, amount }) => [to, amount]),
    [
      ['idle/shared-pool', 250n],
      ['idle/reserved-warm/acme/chat', 500n],
      ['idle/stranded/drained', 250n],
    ],
  )
})
