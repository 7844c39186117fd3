import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { claimsOnSlices, idleRules } from '../plant/energy/idle.ts'
import type { MeterInterval } from '../plant/energy/meter.ts'
import { noWork } from '../plant/energy/step-energy.ts'
import { millijoules } from '../units/amount.ts'
import { attemptId, id, type ReplicaId } from '../units/ids.ts'
import { accounts } from './account.ts'
import { attribute, type Work } from './energy.ts'
import { type GivenSlice, type SliceShare, sliceShares } from './slices.ts'

const [a, b, c] = ['a', 'b', 'c'].map((name) => id<never>(name)) as unknown as [ReplicaId, ReplicaId, ReplicaId]
const start_ms = 1_700_000_000_000
const from_ms = start_ms
const to_ms = start_ms + 10_000

const drawn = (energy: number, idle: number, instances?: MeterInterval['instances']): MeterInterval => ({
  meter: 'board',
  sequence: 2,
  from_ms,
  to_ms,
  energy: millijoules(BigInt(energy)),
  idle: millijoules(BigInt(idle)),
  grade: 'measured',
  reset: false,
  ...(instances && { instances }),
})

const work = (replica: ReplicaId, n: number, tokens = 10): Work => ({
  attempt: attemptId(id(`gw-${n}`), 1),
  replica,
  model: 'm',
  tokens,
  did: { ...noWork, step_e9: 1e9, decode: tokens },
  cpu_us: 0,
  bearer: accounts.tenant(id(replica), id('app')),
})

const given = (
  engine: ReplicaId,
  slice: string | null,
  sms: number | null,
  more: Partial<GivenSlice> = {},
): GivenSlice => ({
  engine,
  slice,
  sms,
  board_sms: sms === null ? null : 132,
  instance: null,
  from_ms: 0,
  until_ms: null,
  ...more,
})
const large = given(a, 'h200/3g.71gb', 60, { instance: '1' })
const small = given(b, 'h200/1g.18gb', 16, { instance: '2' })

const worked = (of: Readonly<Record<string, number>>, near: readonly ReplicaId[] = []) => ({
  engines: new Set(Object.keys(of).map((name) => id<never>(name) as ReplicaId)),
  near: new Set(near),
  seconds: (engine: ReplicaId, from: number, until: number) => Math.min(of[engine] ?? 0, until - from),
})

const busy = (profile: string, busy_us: number) => ({ profile, busy_us })

/** What each account is given. */
const givenTo = (interval: MeterInterval, works: readonly Work[], slices: readonly SliceShare[]) => {
  const sums: Record<string, number> = {}
  for (const { to, amount } of attribute(interval, works, [], slices).transfers)
    sums[to] = (sums[to] ?? 0) + Number(amount)
  return sums
}

test('a slice bears active energy by its busy time × its SMs, and the floor is idle', () => {
  const interval = drawn(10_000, 2_400, { '1': busy('3g.71gb', 2_000_000), '2': busy('1g.18gb', 1_000_000) })
  const slices = sliceShares(interval, [large, small], worked({ a: 10, b: 1 }))
  assert.deepEqual(
    slices.map(({ source }) => source),
    ['measured', 'measured'],
  )
  assert.deepEqual(givenTo(interval, [work(a, 1), work(b, 2), work(b, 3)], slices), {
    'tenant/a/app': 6706,
    'tenant/b/app': 894,
    'idle/shared-pool': 2400,
  })
})

test('a busy small slice pays less than a busy large one: SMs tell them apart, and not their number', () => {
  const interval = drawn(7_600, 0, { '1': busy('3g.71gb', 5_000_000), '2': busy('1g.18gb', 5_000_000) })
  const slices = sliceShares(interval, [large, small], worked({ a: 5, b: 5 }))
  assert.deepEqual(givenTo(interval, [work(a, 1), work(b, 2)], slices), { 'tenant/a/app': 6000, 'tenant/b/app': 1600 })
})

test('a slice whose engine did no work has nothing but idle', () => {
  const interval = drawn(1_000, 400, { '1': busy('3g.71gb', 900_000), '2': busy('1g.18gb', 0) })
  const slices = sliceShares(interval, [large, small], worked({ a: 1 }))
  assert.deepEqual(givenTo(interval, [work(a, 1)], slices), { 'tenant/a/app': 600, 'idle/shared-pool': 400 })
})

test('without counters, or with one missing, all slices are weighed by the seconds in which their engines had a request', () => {
  const interval = drawn(7_600, 0, { '1': busy('3g.71gb', 1) })
  const slices = sliceShares(interval, [large, small], worked({ a: 5, b: 5 }))
  assert.deepEqual(
    slices.map(({ source, busy_us }) => [source, busy_us]),
    [
      ['estimated', 5_000_000],
      ['estimated', 5_000_000],
    ],
  )
  assert.deepEqual(givenTo(interval, [work(a, 1), work(b, 2)], slices), { 'tenant/a/app': 6000, 'tenant/b/app': 1600 })
})

test('a layout that changes within an interval is weighed by what stood, each for its own time', () => {
  const at_ms = start_ms + 4_000
  const before = given(a, null, null, { until_ms: at_ms })
  const after = [
    given(b, 'h200/3g.71gb', 60, { instance: '1', from_ms: at_ms }),
    given(c, 'h200/3g.71gb', 60, { instance: '2', from_ms: at_ms }),
  ]
  const interval = drawn(11_280, 0, { '1': busy('3g.71gb', 9_000_000) })
  const slices = sliceShares(interval, [before, ...after], worked({ a: 10, b: 10, c: 3 }))
  assert.deepEqual(
    slices.map(({ engine, sms, busy_us }) => [engine, sms, busy_us]),
    [
      [a, 132, 4_000_000],
      [b, 60, 6_000_000],
      [c, 60, 3_000_000],
    ],
  )
})

test('an instance that no engine was given bears its own part where its SMs are known, and nobody pays for it', () => {
  const interval = drawn(7_600, 0, { '1': busy('3g.71gb', 5_000_000), '9': busy('1g.18gb', 5_000_000) })
  const slices = sliceShares(interval, [large], worked({ a: 5 }))
  assert.deepEqual(givenTo(interval, [work(a, 1)], slices), { 'tenant/a/app': 6000, 'waste/foreign': 1600 })
})

test('where somebody was busy whose SMs nobody knows, the active energy is nobody’s and not the others’', () => {
  for (const [sort, slices] of [
    ['no such profile', [large]],
    ['SMs without a chip', [given(a, '60of132', 60, { instance: '1' })]],
  ] as const) {
    const interval = drawn(7_600, 600, { '1': busy('3g.71gb', 5_000_000), '9': busy('5g.95gb', 5_000_000) })
    const shares = sliceShares(interval, slices, worked({ a: 5 }))
    assert.deepEqual(
      givenTo(interval, [work(a, 1)], shares),
      { 'overhead/unseen': 7000, 'idle/shared-pool': 600 },
      sort,
    )
  }
})

test('an instance that is not of the profile that was given is a stranger', () => {
  const interval = drawn(7_600, 0, { '1': busy('7g.141gb', 5_000_000) })
  const [first, stranger] = sliceShares(interval, [large], worked({ a: 5 }))
  assert.deepEqual([first?.source, stranger?.engine, stranger?.profile], ['estimated', null, '7g.141gb'])
})

test('an instance that may be the one of a slice given without its number is no stranger', () => {
  const interval = drawn(100, 0, { '4': busy('3g.71gb', 5_000_000) })
  const shares = sliceShares(interval, [given(a, 'h200/3g.71gb', 60), small], worked({ a: 5 }))
  assert.deepEqual(
    shares.map(({ engine, source }) => [engine, source]),
    [[a, 'estimated']],
  )
})

test('an engine of ours that was busy without requests of ours: foreign; but not for what an edge of the interval caught', () => {
  const interval = drawn(7_600, 0, { '1': busy('3g.71gb', 5_000_000), '2': busy('1g.18gb', 5_000_000) })
  const strange = sliceShares(interval, [large, small], worked({ a: 5 }))
  assert.deepEqual(givenTo(interval, [work(a, 1)], strange), { 'tenant/a/app': 6000, 'waste/foreign': 1600 })
  const edge = sliceShares(interval, [large, small], worked({ a: 5 }, [b]))
  assert.deepEqual(givenTo(interval, [work(a, 1)], edge), { 'tenant/a/app': 7600 })
  const none = sliceShares(interval, [large, small], worked({}))
  assert.deepEqual(givenTo(interval, [], none), { 'waste/foreign': 7600 })
})

test('a touch of an instance at rest is no work', () => {
  const interval = drawn(7_600, 0, { '1': busy('3g.71gb', 99_000), '2': busy('1g.18gb', 0) })
  assert.deepEqual(sliceShares(interval, [large, small], worked({})), [])
})

test('a whole board has no slices', () => {
  assert.deepEqual(sliceShares(drawn(10, 0), [given(a, null, null)], worked({ a: 5 })), [])
})

const sms = fc.integer({ min: 1, max: 200 })
const shares = fc.uniqueArray(
  fc.record({
    engine: fc.constantFrom(a, b, c, null),
    instance: fc.constantFrom('1', '2', '3', '4', '5', '6'),
    sms: fc.oneof({ weight: 9, arbitrary: sms }, { weight: 1, arbitrary: fc.constant(null) }),
    busy_us: fc.integer({ min: 0, max: 60_000_000 }),
    source: fc.constantFrom('measured' as const, 'estimated' as const),
  }),
  { maxLength: 6, selector: ({ instance }) => instance },
)

test('requests + foreign + unseen + idle are what the meter showed, to the millijoule, however slices were busy', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2_000_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.tuple(fc.constantFrom(a, b, c), fc.integer({ min: 0, max: 500 })), { maxLength: 8 }),
      shares,
      fc.constantFrom(...idleRules),
      fc.array(fc.record({ sms, board_sms: fc.constant(400), draining: fc.boolean() }), { minLength: 1, maxLength: 2 }),
      (energy, floor, works, slices, rule, standing) => {
        const interval = { ...drawn(energy, Math.floor(energy * floor)), claims: claimsOnSlices(standing, rule) }
        const all = works.map(([engine, tokens], n) => work(engine, n, tokens))
        const { transfers } = attribute(interval, all, [], slices)
        const sum = transfers.reduce((total, { amount }) => total + amount, 0n)
        assert.equal(sum, BigInt(energy))
        assert(transfers.every(({ amount }) => amount > 0n))
        assert.equal(new Set(transfers.map(({ id: name }) => name)).size, transfers.length, 'each name once')
      },
    ),
    { numRuns: 2000 },
  )
})

test('more busy time of a slice never gives its engine less', () => {
  fc.assert(
    fc.property(
      fc.nat(9_999_999),
      fc.nat(9_999_999),
      fc.nat(9_999_999),
      fc.nat(100_000),
      (first, more, other, energy) => {
        const part = (busy_us: number): number => {
          const interval = drawn(energy, 0, { '1': busy('3g.71gb', busy_us), '2': busy('1g.18gb', other) })
          return (
            givenTo(interval, [work(a, 1), work(b, 2)], sliceShares(interval, [large, small], worked({ a: 1, b: 1 })))[
              'tenant/a/app'
            ] ?? 0
          )
        }
        assert(part(Math.min(first, more)) <= part(Math.max(first, more)))
      },
    ),
  )
})
