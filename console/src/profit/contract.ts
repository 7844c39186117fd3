/** What the operator tells of profit and loss, of flows through the ledger and of its transfers. */
import type { Figures } from '../lib/contract.ts'

export const causes = ['electricity', 'capacity', 'hosted', 'overhead', 'making'] as const
export type Cause = (typeof causes)[number]

/** Amounts are decimal dollars as they are in the books. */
export interface Line {
  readonly name: string
  readonly usd: string
  readonly own_usd: string
  readonly allocated_usd: string | null
  readonly loaded_usd: string | null
  readonly requests: number | null
  readonly tokens: number
  readonly figures: Figures
}

export interface Lines {
  readonly rows: readonly Line[]
  readonly not_allocated_usd: string
}

export interface Slot {
  readonly start: string
  readonly revenue_usd: string
  readonly tokens: number
  readonly usd: Readonly<Record<Cause, string>>
  readonly usd_per_mtoken: Readonly<Record<Cause, number | null>>
}

export interface Pnl {
  readonly from: string
  readonly to: string
  readonly step: 'hour' | 'day'
  readonly revenue_usd: string
  /** By free quotas and tiers. */
  readonly taken_off_usd: string
  /** What commitments lack. */
  readonly shortfall_usd: string
  readonly net_revenue_usd: string
  readonly usage_usd: string
  readonly idle_usd: string
  readonly waste_usd: string
  readonly overhead_usd: string
  readonly making_usd: string
  readonly total_usd: string
  readonly residual_usd: string
  readonly figures: Figures
  readonly slots: readonly Slot[]
  readonly tenants: Lines
  readonly models: Lines
  readonly sites: Lines
}

export interface Flow {
  readonly from: string
  readonly to: string
  /** Decimal dollars. */
  readonly amount: string
  /** Accounts that its transfers come out of and go into; null: any. */
  readonly out: string | null
  readonly into: string | null
}

export interface Flows {
  readonly from: string
  readonly to: string
  readonly total: string
  readonly residuals: { readonly worked_out_less_sources: string; readonly sources_less_bearers: string }
  readonly flows: readonly Flow[]
}

export interface Transfers {
  readonly transfers: readonly {
    readonly id: string
    readonly from: string
    readonly to: string
    /** In the unit of the ledger. */
    readonly amount: string
    readonly request: string | null
    readonly at_ms: number
    readonly back: boolean
  }[]
  readonly sum: string
  readonly next: string | null
  readonly kept_from_ms: number | null
}
