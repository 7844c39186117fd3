import type { DayRate } from './rate.ts'
import { dayText } from './rate.ts'

/** A tenant is billed in it from a day on, the first of a month, until it is said anew. */
export interface CurrencyFrom {
  readonly version: number
  readonly currency: string
  readonly from_day: number
}

/** No rate is known for a day, nor for one before it. It is never guessed. */
export class NoExchangeRate extends Error {
  override readonly name = 'NoExchangeRate'
  readonly currency: string
  readonly day: string

  constructor(currency: string, day: number) {
    super(`there is no rate of ${currency} for ${dayText(day)}, nor for a day before`)
    this.currency = currency
    this.day = dayText(day)
  }
}

/** The rate that holds on a day: its own, or the last one before; of one day, the version that came last. */
export class RateTable {
  private readonly rates: readonly DayRate[]
  private readonly currency: string

  constructor(currency: string, rates: readonly DayRate[]) {
    this.currency = currency
    this.rates = rates
      .filter((rate) => rate.currency === currency)
      .sort((a, b) => a.day - b.day || a.version - b.version)
  }

  on(day: number): DayRate {
    let [low, high] = [0, this.rates.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.rates[middle]?.day ?? 0) <= day) low = middle + 1
      else high = middle
    }
    const found = this.rates[low - 1]
    if (!found) throw new NoExchangeRate(this.currency, day)
    return found
  }
}

/**
 * In what a tenant is billed and at which rates, as all declarations until `version` say it: declarations never change, so the same
 * version says the same for ever.
 */
export class TenantExchange {
  readonly version: number
  private readonly currencies: readonly CurrencyFrom[]
  private readonly rates: readonly DayRate[]
  private readonly tables = new Map<string, RateTable>()

  constructor(version: number, currencies: readonly CurrencyFrom[], rates: readonly DayRate[]) {
    const known = <T extends { readonly version: number }>(all: readonly T[]): T[] =>
      all.filter((one) => one.version <= version)
    this.version = version
    this.currencies = known(currencies).sort((a, b) => a.version - b.version)
    this.rates = known(rates)
  }

  /** USD where nothing else was said; else what was said last of those that begin by then. */
  currencyOn(day: number): string {
    return this.currencies.findLast(({ from_day }) => from_day <= day)?.currency ?? 'USD'
  }

  /** Undefined: it is billed in dollars. */
  on(day: number): DayRate | undefined {
    const currency = this.currencyOn(day)
    if (currency === 'USD') return undefined
    const table = this.tables.get(currency) ?? new RateTable(currency, this.rates)
    this.tables.set(currency, table)
    return table.on(day)
  }

  /** The first day in (from, to] on which it begins to be billed in another currency than before; undefined: one currency for all of it. */
  changeWithin(from: number, to: number): number | undefined {
    return this.currencies
      .map(({ from_day }) => from_day)
      .filter((day) => day > from && day <= to && this.currencyOn(day) !== this.currencyOn(from))
      .sort((a, b) => a - b)[0]
  }
}
