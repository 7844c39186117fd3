import type { DayRate } from './rate.ts'
import { dayText, exchangedText, formatRate } from './rate.ts'

/** What one request came to in the currency of its tenant, exactly: its charge times the rate of the day on which it was settled. */
export interface BilledMoney {
  readonly currency: string
  readonly cost: string
  readonly refund: string
  readonly rate: string
  /** The day that the rate is of. */
  readonly rate_day: string
  readonly exchange_version: number
}

/** Of amounts in dollars. */
export const billedMoney = (
  { cost, refund }: { readonly cost: string; readonly refund: string },
  rate: DayRate,
  version: number,
): BilledMoney => ({
  currency: rate.currency,
  cost: exchangedText(cost, 9, rate),
  refund: exchangedText(refund, 9, rate),
  rate: formatRate(rate.rate),
  rate_day: dayText(rate.day),
  exchange_version: version,
})
