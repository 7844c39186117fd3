/** What the operator tells a tenant of itself. */
import type { Key, RequestLine, SettledReceipt, Source } from '../lib/contract.ts'
import type { Agreed } from '../lib/terms.ts'

export interface Me {
  readonly tenant: string
  readonly key: Key
  readonly key_quota: number
  readonly keys: number
}

export interface Limit {
  readonly scope: 'tenant' | 'application' | 'key'
  readonly of: string
  readonly unit: string
  readonly per: string
  readonly amount: string
  readonly left: string | null
  readonly renews_at: string | null
}

export interface OwnPrice {
  readonly slo: readonly string[]
  /** Where it holds: what answers there is charged so. */
  readonly sites: readonly string[]
  readonly source: 'contract' | 'list'
  readonly version: number
  readonly refund: { readonly percent: number; readonly ttft_s: number } | null
  /** What an answer from the cache costs, of what its tokens would. */
  readonly hit_percent: number
  readonly usd_per_million: Readonly<Record<string, string>>
}

export interface OwnModel {
  readonly model: string
  readonly stands_for: readonly string[] | null
  readonly available: boolean
  readonly context_tokens: number | null
  readonly prices: readonly OwnPrice[]
}

export interface Catalogue {
  readonly slo: string
  readonly models: readonly OwnModel[]
}

export interface OwnKey extends Key {
  /** The one of this session. */
  readonly own: boolean
  readonly may_change: boolean
}

export interface OwnKeys {
  readonly quota: number
  readonly active: number
  /** Why this key makes no others; null: it may. */
  readonly makes: string | null
  /** The only application that it makes keys of; null: any. */
  readonly only_app: string | null
  readonly keys: readonly OwnKey[]
}

export interface UsageDay {
  readonly day: string
  readonly application: string
  readonly requests: number
  readonly failed: number
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly tokens_grade: Source
  readonly usd: string
  /** Where the tenant was billed in another currency on that day: which, and what in it. */
  readonly currency?: string
  readonly billed?: string
  readonly energy_mj: string | null
  readonly energy_grade: Source | 'unknown'
}

export interface UsageDays {
  readonly from: string
  readonly to: string
  readonly days: readonly UsageDay[]
}

export type OwnRequest = Omit<RequestLine, 'tenant' | 'engine'>

export interface OwnError {
  readonly at: string
  readonly code: string
  readonly model: string
  readonly application: string
  readonly key: string
  readonly id: string
}

/** What a request came to in the currency in which the tenant is billed. */
interface OwnBilled {
  readonly currency: string
  readonly cost: string
  readonly rate: string
  readonly rate_day: string
}

type Settled = { readonly billed?: OwnBilled } & Omit<SettledReceipt, 'tenant' | 'snapshot' | 'energy' | 'attempts'> & {
    readonly attempts: readonly Omit<SettledReceipt['attempts'][number], 'replica'>[]
    readonly energy: Omit<SettledReceipt['energy'], 'intervals' | 'attribution'> & {
      readonly attribution: { readonly grade: string; readonly how: string }
    }
  }
export type OwnReceipt =
  | Settled
  | {
      readonly state: 'open'
      readonly id: string
      readonly application: string
      readonly model: string
      readonly at_ms: number
      readonly reserved_tokens: number
    }

export interface Statement {
  readonly lines: readonly {
    readonly application: string
    readonly model: string
    readonly price_version: number | null
    readonly slo: string | null
    readonly class: string
    readonly site: string
    /** Answers from the cache. */
    readonly cached: boolean
    readonly requests: number
    readonly tokens: number
    readonly usd_per_million: string | null
    readonly usd: string
    readonly billed?: string
  }[]
  readonly refunds: readonly {
    readonly application: string
    readonly model: string
    readonly requests: number
    readonly usd: string
    readonly billed?: string
  }[]
  readonly total_usd: string
  /** Taken off, or lacking of a commitment. */
  readonly agreed: readonly {
    readonly terms: number
    readonly kind: Agreed['kind']
    readonly application: string
    readonly model: string
    readonly usd: string
    readonly billed?: string
  }[]
  readonly taken_off_usd: string
  readonly shortfall_usd: string
  readonly credits: readonly {
    readonly credit: string
    readonly kind: 'prepaid' | 'promo'
    readonly granted_usd: string
    readonly used_usd: string
    readonly expired_usd: string
    readonly returned_usd: string
    /** What was used of it, in the currency of the bill. */
    readonly billed?: string
  }[]
  readonly credit_usd: string
  readonly due_usd: string
  readonly energy: readonly { readonly application: string; readonly grade: Source; readonly energy_mj: string }[]
  readonly requests: number
  readonly requests_with_missing_counts: number
  /** Where the tenant is billed in another currency. */
  readonly billing?: {
    readonly currency: string
    readonly exchange_version: number
    readonly total: string
    readonly credit: string
    readonly due: string
    readonly rates: readonly { readonly rate: string; readonly rate_day: string; readonly exchange_version: number }[]
  }
}
