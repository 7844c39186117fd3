import type { DayRate } from '../exchange/rate.ts'
import { dayText, exchangedText, formatRate } from '../exchange/rate.ts'
import type { FocusRow } from './check.ts'

/** Unit prices have fifteen decimals, costs no more. */
const mostPlaces = 15

const money = ['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost', 'ListUnitPrice', 'ContractedUnitPrice']

/**
 * A row in the currency in which its tenant is billed. What is sold has a price in dollars, and so have the columns of the pricing
 * currency; all other money is that times the rate of the day, exactly, so that unit price × quantity stays the cost, and rows add up
 * to the statement. Undefined: billed in dollars too.
 */
export function focusBilled(row: FocusRow, rate: DayRate | undefined, version: number): FocusRow {
  const priced = {
    ...row,
    PricingCurrency: 'USD',
    PricingCurrencyContractedUnitPrice: row.ContractedUnitPrice ?? null,
    PricingCurrencyEffectiveCost: row.EffectiveCost ?? null,
    PricingCurrencyListUnitPrice: row.ListUnitPrice ?? null,
  }
  if (rate === undefined) return priced
  const of = (name: string): string | null => (row[name] ? exchangedText(row[name], mostPlaces, rate) : null)
  return {
    ...priced,
    ...Object.fromEntries(money.map((name) => [name, of(name)])),
    BillingCurrency: rate.currency,
    x_ExchangeRate: formatRate(rate.rate),
    x_ExchangeRateDate: dayText(rate.day),
    x_ExchangeVersion: String(version),
  }
}
