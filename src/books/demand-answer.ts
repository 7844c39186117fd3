/** What each billing month's peak is so far, what it costs, and how much of that its hours bear by now. */

import { hour_ms } from './cost-hour.ts'
import { usdText } from './cost-part.ts'
import type { BillingMonth, DemandTerms, HourPeak } from './demand.ts'
import { chargeOf, peakOf } from './demand.ts'
import { figure } from './figures.ts'

export interface DemandFacts {
  readonly connection: string
  readonly terms: DemandTerms
  readonly month: BillingMonth
  readonly peaks: readonly HourPeak[]
  /** What each closed hour bears, nano-dollars. */
  readonly closed: ReadonlyMap<number, { readonly amount: bigint }>
}

/** A peak is at least this: what no meter counted is not in it. */
export function demandAnswer({ connection, terms, month, peaks, closed }: DemandFacts) {
  const peak = peakOf(peaks)
  const kW = peak ? Number(peak.energy_mj) / (peak.interval_min * 60) / 1e6 : null
  return {
    connection,
    from: iso(month.from * hour_ms),
    to: iso(month.to * hour_ms),
    usd_per_kw: usdText(terms.amount),
    interval_min: terms.interval_min,
    borne: terms.rule,
    peak_kw: figure(kW, 'kW, at the meters of the factory × PUE where declared', 'estimated'),
    peak_at: peak ? iso(peak.at_ms) : null,
    charge_usd: usdText(chargeOf(terms, peak)),
    posted_usd: usdText([...closed.values()].reduce((sum, { amount }) => sum + amount, 0n)),
    hours: month.to - month.from,
    hours_closed: closed.size,
  }
}

export type DemandAnswer = ReturnType<typeof demandAnswer>

const iso = (at_ms: number): string => new Date(at_ms).toISOString()
