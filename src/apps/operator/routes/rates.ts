/** What a dollar buys of other currencies, and in which of them a tenant is billed. */
import Type from 'typebox'
import {
  declareRates,
  knownExchange,
  type ListedRate,
  listRates,
  saidCurrencies,
  setCurrency,
} from '../../../adapters/sqlite/exchange.ts'
import { dayOf } from '../../../books/account.ts'
import { dayText, formatRate, parseRate } from '../../../books/exchange/rate.ts'
import { ControlError } from '../errors.ts'
import { type Route, route } from '../router.ts'
import { knownTenant } from '../tenancy.ts'
import { dateMs, isoOrNull, monthStartMs } from '../when.ts'

/** Ten years of days; more comes in several declarations. */
const mostDays = 3_700
const day_ms = 86_400_000
const iso4217 = new Set(Intl.supportedValuesOf('currency'))
const currencyName = Type.String({ maxLength: 3, description: 'ISO 4217, such as EUR' })
const note = Type.Optional(Type.String({ maxLength: 500, description: 'where it is from; of a correction, why' }))

export const rateRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/rates',
    role: 'viewer',
    about: 'Exchange rates of every day that has one, with the declaration that each came with; corrected ones too',
    input: { currency: Type.Optional(currencyName) },
    run: ({ store }, { currency }) => ({
      exchange_version: knownExchange(store, undefined),
      rates: listRates(store, currency).map(display),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/rates',
    role: 'admin',
    about:
      'Declare rates: of a currency for a dollar, each from its UTC day on until the next. Nothing declared is ever changed; a correction is a declaration of its own',
    input: {
      currency: currencyName,
      rates: Type.Array(
        Type.Object({
          day: Type.String({ description: 'such as 2027-01-31' }),
          rate: Type.String({ maxLength: 40, description: 'such as 0.9234: at most 12 decimals' }),
        }),
        { minItems: 1, maxItems: mostDays, description: `days and rates, ${mostDays} at most` },
      ),
      correct: Type.Optional(Type.Boolean({ description: 'days that have another rate get this one; needs a note' })),
      note,
    },
    run: ({ store, now }, { currency, rates, correct = false, note = '' }) => {
      const asked = { currency: foreign(currency), rates: rates.map(rateIn), correct, note: note.trim() }
      const twice = asked.rates.find(({ day }, at) => asked.rates.findIndex((one) => one.day === day) !== at)
      if (twice) throw new ControlError('invalid_value', `${dayText(twice.day)} is there twice`, { param: 'rates' })
      const { version, days } = declareRates(store, asked, now())
      return { currency, exchange_version: version, declared: days, unchanged: rates.length - days }
    },
  }),
  route({
    method: 'PUT',
    path: '/api/tenants/currency',
    role: 'admin',
    about:
      'Bill a tenant in another currency, from the first of a month on, this one or later: months that are over stay as they are. There must be a rate for that day, or for one before',
    input: {
      tenant: Type.String({ maxLength: 100 }),
      currency: currencyName,
      from: Type.Optional(Type.String({ description: 'the first of a month, such as 2027-01-01; else of this month' })),
      note,
    },
    run: (factory, { tenant, currency, from, note = '' }) => {
      const { store, now } = factory
      const of = knownTenant(factory, tenant)
      const this_month = monthStartMs(now())
      const from_ms = from === undefined ? this_month : dateMs(from, 'from')
      if (from_ms !== monthStartMs(from_ms))
        throw new ControlError('invalid_value', 'a currency begins with a month, UTC', { param: 'from' })
      if (from_ms < this_month)
        throw new ControlError('invalid_value', 'that month is over: what it was billed in stays', {
          param: 'from',
          next: `Begin with ${dayText(dayOf(this_month))} or later.`,
        })
      const said = { tenant: of, currency: known(currency), from_day: dayOf(from_ms), note: note.trim() }
      setCurrency(store, said, now())
      return {
        tenant: of,
        currencies: saidCurrencies(store, of).map(({ currency, from_day, version }) => ({
          currency,
          from: dayText(from_day),
          exchange_version: version,
        })),
      }
    },
  }),
]

function known(currency: string): string {
  if (iso4217.has(currency)) return currency
  throw new ControlError('invalid_value', `${JSON.stringify(currency)} is no currency of ISO 4217, such as EUR`, {
    param: 'currency',
  })
}

function foreign(currency: string): string {
  if (currency !== 'USD') return known(currency)
  throw new ControlError('invalid_value', 'the books are in dollars: a dollar is a dollar', { param: 'currency' })
}

function rateIn({ day, rate }: { readonly day: string; readonly rate: string }, index: number) {
  const at_ms = dateMs(day, 'rates')
  const value = parseRate(rate)
  if (at_ms % day_ms === 0 && value !== undefined) return { day: at_ms / day_ms, rate: value }
  const what =
    value === undefined
      ? `${rate.slice(0, 40)} is no rate: more than 0, below a million, with 12 decimals at most`
      : `${day.slice(0, 40)} is no day`
  throw new ControlError('invalid_value', `rate ${index + 1}: ${what}`, { param: 'rates' })
}

const display = ({ currency, day, rate, version, declared_ms, note, corrected }: ListedRate) => ({
  currency,
  day: dayText(day),
  rate: formatRate(rate),
  exchange_version: version,
  declared: isoOrNull(declared_ms),
  corrected,
  note,
})
