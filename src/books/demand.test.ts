import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanoDollars } from '../units/amount.ts'
import type { CostDeclaration } from './cost.ts'
import { hour_ms } from './cost-hour.ts'
import type { DemandTerms, HourPeak, Reading } from './demand.ts'
import { billingMonth, chargeOf, demandByHour, peakOf, peaksOfHour } from './demand.ts'
import type { PueFacts } from './pue.ts'

const hour = 500_016
const at_ms = hour * hour_ms
const terms = (rule: 'even' | 'peak', usd = 12_345_678_901n): DemandTerms => ({
  per: 'kW',
  amount: nanoDollars(usd),
  interval_min: 15,
  offset_min: 0,
  rule,
})
const declared = (name: string, of: CostDeclaration['terms'], kind: CostDeclaration['kind'] = 'demand') =>
  ({ version: 1, kind, name, from_ms: 0, declared_ms: 0, terms: of, note: '' }) satisfies CostDeclaration

const facts = (...of: readonly CostDeclaration[]): PueFacts => ({ declared: of, places: [], measured: () => undefined })

/** Constant power from `from_min` to `to_min` of the hour, kW. */
const at = (meter: string, from_min: number, to_min: number, kW: number): Reading => ({
  meter,
  from_ms: at_ms + from_min * 60_000,
  to_ms: at_ms + to_min * 60_000,
  energy_mj: BigInt((to_min - from_min) * 60 * kW * 1_000_000),
})

test('the peak is the highest mean over an interval, of meters added up at each moment', () => {
  const readings = [at('a', 0, 30, 4), at('a', 30, 60, 1), at('b', 0, 20, 1), at('b', 20, 60, 3)]
  const [peak] = peaksOfHour(facts(declared('all', terms('even'))), hour, readings)
  // a + b by quarter: 5, 4 + (5 × 1 + 10 × 3) / 15 = 6.33, 4, 4 kW; the peaks of each alone would come to 7.
  assert.deepEqual(peak, {
    connection: 'all',
    hour,
    at_ms: at_ms + 900_000,
    interval_min: 15,
    energy_mj: 5_700_000_000n,
  })
})

test('a meter with a charge of its own is a connection of its own; PUE stands in front of both', () => {
  const all = [
    declared('all', terms('even')),
    declared('b', { ...terms('even'), interval_min: 60 }),
    declared('b', { per: 'time', series: { usual: 1_500_000n } }, 'pue'),
  ]
  const peaks = peaksOfHour(facts(...all), hour, [at('a', 0, 60, 2), at('b', 0, 60, 10)])
  assert.deepEqual(
    peaks.map(({ connection, energy_mj }) => [connection, energy_mj]),
    [
      ['all', 1_800_000_000n],
      ['b', 54_000_000_000n],
    ],
  )
})

test('a facility’s meter is a connection with all below it: what they show together is what it shows', () => {
  const hall = {
    meter: 'hall',
    level: 'facility',
    rule: 'energy',
    below: ['a', 'b'],
    from_ms: 0,
    until_ms: null,
  } as const
  const readings = [at('a', 0, 60, 2), at('b', 0, 60, 3), at('hall', 0, 60, 1), at('c', 0, 60, 7)]
  const peaks = (...more: CostDeclaration[]) => {
    const all = facts(declared('hall', terms('even')), declared('all', terms('even')), ...more)
    return peaksOfHour({ ...all, places: [hall] }, hour, readings).map(({ energy_mj }) => energy_mj / 900_000_000n)
  }
  assert.deepEqual(peaks(), [7n, 6n])
  const pue = declared('all', { per: 'time', series: { usual: 2_000_000n } }, 'pue')
  assert.deepEqual(peaks(pue), [14n, 10n], 'by the PUE of those below it, and not by both')
})

test('a reading over the end of an hour is split between both, and no millijoule is in neither', () => {
  const long: Reading = { meter: 'a', from_ms: at_ms + 3_300_001, to_ms: at_ms + 3_900_000, energy_mj: 1_000_000_007n }
  const whole = [declared('all', { ...terms('even'), interval_min: 60 })]
  const parts = [hour, hour + 1].map((of) => peaksOfHour(facts(...whole), of, [long])[0]?.energy_mj ?? 0n)
  assert.equal(parts[0] && parts[0] + (parts[1] ?? 0n), long.energy_mj)
  assert(parts.every((part) => part > 0n))
})

test('dollars a kW: 6.333… kW at $12.345678901', () => {
  const peak: HourPeak = { connection: 'all', hour, at_ms, interval_min: 15, energy_mj: 5_700_000_000n }
  assert.equal(chargeOf(terms('even'), peak), 78_189_299_706n, '12.345678901 × 19 / 3, half up')
  assert.equal(chargeOf(terms('even'), undefined), 0n)
})

test('a billing month is the calendar month of its place', () => {
  const hours = (text: string, offset_min: number) => {
    const { from, to } = billingMonth(Date.parse(text), offset_min)
    return [from, to].map((each) => new Date(each * hour_ms).toISOString().slice(0, 13))
  }
  assert.deepEqual(hours('2027-02-10T00:00:00Z', 0), ['2027-02-01T00', '2027-03-01T00'])
  assert.deepEqual(hours('2027-01-31T23:30:00Z', 60), ['2027-01-31T23', '2027-02-28T23'])
  assert.deepEqual(hours('2027-12-31T12:00:00Z', -300), ['2027-12-01T05', '2028-01-01T05'])
})

test('whatever the peaks, and whatever is already fixed, the hours of a month bear its charge to the nano-dollar', () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed
    const roll = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return state % below
    }
    const month = { from: 1000, to: 1000 + 24 * (28 + roll(4)) }
    const peaks = Array.from({ length: month.to - month.from }, (_, of) => of)
      .filter(() => roll(3) > 0)
      .map(
        (of): HourPeak => ({
          connection: 'all',
          hour: month.from + of,
          at_ms: 0,
          interval_min: 15,
          energy_mj: BigInt(roll(2_000_000_000)),
        }),
      )
    for (const rule of ['even', 'peak'] as const) {
      const of = terms(rule, BigInt(1 + roll(2_000_000_000)))
      const charge = chargeOf(of, peakOf(peaks))
      const sum = (due: ReadonlyMap<number, bigint>): bigint => [...due.values()].reduce((a, b) => a + b, 0n)
      const due = demandByHour(of, month, peaks, new Map())
      assert.equal(sum(due), charge, `seed ${seed} ${rule}`)
      assert([...due.values()].every((amount) => amount >= 0n))
      // Hours of whose days only sums are kept stay as they are: the others still make it whole.
      const early = peaks.filter((peak) => peak.hour < month.from + 100)
      const then = demandByHour(of, month, early, new Map())
      const fixed = new Map([...then].filter(([each]) => each < month.from + 100))
      const later = demandByHour(of, month, peaks, fixed)
      assert.equal(sum(fixed) + sum(later), charge, `seed ${seed} ${rule}, fixed`)
    }
  }
})
