import { mainSite } from '../plant/infrastructure/site.ts'
import type { ApplicationId, KeyId, ModelId, ReplicaId, RequestId, SiteId, TenantId } from '../units/ids.ts'
import type { Usage } from './usage.ts'

/** How a request ended, as its client would tell it. */
export const outcomes = [
  'complete',
  'client_closed', // the client left; what the engine made until it stopped is billed, or leaving would be free
  'rejected', // the engine would not take it: too long a prompt, a parameter it refuses
  'upstream_error',
  'truncated', // the engine's stream ended without saying that it was finished
  'timeout',
  'journal_unavailable',
  'budget_exhausted', // an allowance ran out under it; what was let through until then is billed
  'denied', // a guard rail withheld the answer; what the engine made until then is billed
  'crash', // the gateway died with it; settled from what was measured
] as const
export type Outcome = (typeof outcomes)[number]

/** What is billed. Everything else that an engine made is waste, booked by its cause and paid by the factory. */
export const isBilled = (outcome: Outcome): boolean =>
  outcome === 'complete' || outcome === 'client_closed' || outcome === 'budget_exhausted' || outcome === 'denied'

/** Why an attempt's tokens were for nothing: the request's outcome, or another attempt was needed. */
export type WasteCause = Exclude<Outcome, 'complete' | 'client_closed'> | 'retry' | 'hedge' | 'foreign'

/** What serving a request on a replica was expected to cost; nano-dollars. What each part is stands at `moneyRule`. */
export interface CostParts {
  readonly prefill: number
  readonly decode: number
  readonly eviction: number
  readonly waiting: number
  readonly behind: number
  readonly late: number
}

/** Why a replica was chosen of several: its expected cost, and that of the next best. */
export interface Choice {
  readonly of: number
  readonly nano_usd: CostParts
  readonly next: { readonly replica: ReplicaId; readonly nano_usd: CostParts }
}

/** One try of one engine. The last one has the request's outcome; those before it were retried. */
export interface Attempt {
  readonly number: number
  readonly replica: ReplicaId
  /** Where that stood; absent: `mainSite`. */
  readonly site?: SiteId
  readonly usage: Usage
  /** It was started beside an attempt whose first token had not come after so long, where so much was expected. */
  readonly hedge?: { readonly after_ms: number; readonly expected_ms: number }
  /** Absent: there was no choice, or the rule does not count in money. */
  readonly choice?: Choice
  /** Another attempt answered first: waste by cause `hedge`, and nobody's bill. */
  readonly lost?: true
  /** The part of it that an allowance had no room for: waste by cause `budget_exhausted`, and nobody's bill. */
  readonly unbilled?: Usage
}

/** Whose request it is and what it may cost: the part that both rows carry, so that each stands alone. */
export interface Asked {
  readonly id: RequestId
  readonly tenant: TenantId
  readonly application: ApplicationId
  readonly key: KeyId
  readonly model: ModelId
  /** Version of the price it was admitted under, frozen; null: the model had none, so it is booked at 0 and flagged. */
  readonly price_version: number | null
  /** Snapshot of keys, prices and fleet that it was admitted under. */
  readonly snapshot: number
  readonly at_ms: number
}

/** Durable before the first content byte leaves: if the gateway dies, this is what is known. */
export interface OpenRow extends Asked {
  readonly kind: 'open'
  readonly reserved_tokens: number
}

/** Durable before the last byte leaves: the request is settled. */
export interface CloseRow extends Asked {
  readonly kind: 'close'
  readonly closed_ms: number
  readonly queued_ms: number
  /** Admission to first content; null when there was none. */
  readonly ttft_ms: number | null
  readonly stream: boolean
  readonly outcome: Outcome
  readonly attempts: readonly Attempt[]
  /**
   * It was answered from the cache: by whose answer, where that was made, and what it used. No engine worked; its price says what a
   * hit costs.
   */
  readonly cached?: { readonly from: RequestId; readonly site?: SiteId; readonly usage: Usage }
}

/** Where it was answered: where its last attempt was, or the answer in the cache was made; undefined: no engine was asked. */
export function siteOf({ attempts, cached }: Pick<CloseRow, 'attempts' | 'cached'>): SiteId | undefined {
  const answered = attempts.at(-1) ?? cached
  return answered && (answered.site ?? mainSite)
}

export type Row = OpenRow | CloseRow
