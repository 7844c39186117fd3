import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDecimal, parseDecimal } from '../../units/amount.ts'
import type { DayRate, Rate } from './rate.ts'
import { exchanged, exchangedText, formatRate, parseRate, roundedOnce, roundedTogether } from './rate.ts'
import type { CurrencyFrom } from './tenant-exchange.ts'
import { NoExchangeRate, TenantExchange } from './tenant-exchange.ts'

const unit = 10n ** 12n
const rateOf = (text: string): Rate => parseRate(text) ?? assert.fail(text)

test('a rate is taken exactly as it is written, or not at all', () => {
  for (const text of ['0.92', '1', '0.000000000001', '999999.999999999999', '9.2e-1']) {
    const rate = rateOf(text)
    assert.equal(rate, parseDecimal(text, 12))
    assert.equal(rateOf(formatRate(rate)), rate)
  }
  for (const text of ['0', '-0.92', '1000000', '0.0000000000001', 'NaN', '1/2', '0,92', '', '1e30', 'Infinity'])
    assert.equal(parseRate(text), undefined, text)
})

test('parts are rounded so that they add up to the rounded sum, each by less than one nano-unit', () => {
  const value = fc.bigInt(-(10n ** 25n), 10n ** 25n)
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), (values) => {
      const sum = values.reduce((a, b) => a + b, 0n)
      const parts = roundedTogether(values, roundedOnce(sum))
      assert.equal(
        parts.reduce((a, b) => a + b, 0n),
        roundedOnce(sum),
      )
      for (const [at, part] of parts.entries()) {
        const off = part * unit - (values[at] ?? 0n)
        assert(off < unit && off > -unit, `${values[at]} became ${part}`)
        if ((values[at] ?? 0n) % unit === 0n) assert.equal(off, 0n, 'what is whole stays')
      }
    }),
  )
})

test('half a nano-unit is rounded away from zero, either way', () => {
  const half = unit / 2n
  assert.deepEqual([half, half - 1n, -half, -half + 1n, 3n * half].map(roundedOnce), [1n, 0n, -1n, 0n, 2n])
})

test('text and whole numbers are exchanged to the same', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 18n), 10n ** 18n), fc.bigInt(1n, 10n ** 18n - 1n), (nano, rate) => {
      const of = { rate: rate as Rate }
      assert.equal(exchangedText(formatDecimal(nano, 9), 9, of), formatDecimal(exchanged(nano, of), 21))
    }),
  )
})

interface Declared {
  readonly rates: DayRate[]
  readonly currencies: CurrencyFrom[]
}

/** Declarations as they come: rates of days, corrections among them, and currencies from months on. */
const declared = fc
  .array(
    fc.record({
      what: fc.constantFrom('rate', 'rate', 'rate', 'currency'),
      currency: fc.constantFrom('EUR', 'JPY'),
      day: fc.nat(60),
      rate: fc.bigInt(1n, 10n ** 15n),
    }),
    { maxLength: 40 },
  )
  .map((all): Declared => {
    const found: Declared = { rates: [], currencies: [] }
    for (const [at, { what, currency, day, rate }] of all.entries())
      if (what === 'rate') found.rates.push({ currency, day, rate: rate as Rate, version: at + 1 })
      else found.currencies.push({ currency, from_day: day - (day % 30), version: at + 1 })
    return found
  })

/** By looking at everything. */
function plainly({ rates, currencies }: Declared, version: number, day: number): DayRate | 'USD' | 'none' {
  const known = <T extends { readonly version: number }>(all: readonly T[]) =>
    all.filter((one) => one.version <= version)
  let currency = 'USD'
  for (const one of known(currencies)) if (one.from_day <= day) currency = one.currency
  if (currency === 'USD') return 'USD'
  let best: DayRate | undefined
  for (const one of known(rates))
    if (one.currency === currency && one.day <= day && (best === undefined || one.day >= best.day)) best = one
  return best ?? 'none'
}

test('a day has its own rate or the last one before, of one day the version that came last; what comes later changes no earlier version', () => {
  fc.assert(
    fc.property(declared, fc.nat(70), fc.nat(45), (all, day, version) => {
      const should = plainly(all, version, day)
      const known = (one: { readonly version: number }) => one.version <= version
      const before = { rates: all.rates.filter(known), currencies: all.currencies.filter(known) }
      for (const { rates, currencies } of [all, before]) {
        const exchange = new TenantExchange(version, currencies, rates)
        if (should === 'none') assert.throws(() => exchange.on(day), NoExchangeRate)
        else assert.deepEqual(exchange.on(day), should === 'USD' ? undefined : should)
      }
    }),
  )
})

test('where a time is billed in two currencies is found, and one currency is one time', () => {
  const said = (version: number, currency: string, from_day: number) => ({ version, currency, from_day })
  const exchange = new TenantExchange(9, [said(1, 'EUR', 30), said(2, 'EUR', 60), said(3, 'USD', 90)], [])
  assert.deepEqual(
    [
      [0, 29],
      [0, 30],
      [30, 89],
      [31, 200],
      [90, 200],
    ].map(([from = 0, to = 0]) => exchange.changeWithin(from, to)),
    [undefined, 30, undefined, 90, undefined],
  )
})
