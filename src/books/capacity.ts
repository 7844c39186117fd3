import type { NanoDollars } from '../units/amount.ts'
import { nanoDollars } from '../units/amount.ts'

/** What an hour of own equipment costs, from what was paid for it. Dollars; `rate` is a year's cost of capital, 0.08 for 8 %. */
export interface Purchase {
  readonly capex_usd: number
  readonly salvage_usd: number
  readonly years: number
  /** 0: straight line. */
  readonly rate: number
}

/** Hours of a year, as the formulas of the field have them. */
export const yearHours = 8760

/**
 * Capital recovery factor: the equal yearly payment that pays back 1 with interest in n years.
 *
 *     CRF = r (1 + r)^n / ((1 + r)^n − 1)        r → 0: 1 / n
 *
 * (ISO 15686-5 life-cycle costing; NREL, Manual for the Economic Evaluation of Energy Efficiency, 1995.)
 */
export function capitalRecovery(rate: number, years: number): number {
  if (rate === 0) return 1 / years
  const growth = (1 + rate) ** years
  return (rate * growth) / (growth - 1)
}

/**
 * An hour's share of a purchase:
 *
 *     a = (capex − salvage / (1 + r)^n) × CRF / 8760       r = 0: (capex − salvage) / (8760 n)
 *
 * Worked out once, when it is declared; the books hold the whole nano-dollars that came out.
 */
export function perHourOf({ capex_usd, salvage_usd, years, rate }: Purchase): NanoDollars {
  const worth = capex_usd - salvage_usd / (1 + rate) ** years
  return nanoDollars(BigInt(Math.round(((worth * capitalRecovery(rate, years)) / yearHours) * 1e9)))
}
