import type { ModelId, ReplicaId, SiteId } from '../../units/ids.ts'

/** One engine that serves: the embedded llama.cpp, or an upstream behind a URL. */
export interface Replica {
  readonly id: ReplicaId
  /** The API that it speaks. */
  readonly vendor: 'llama' | 'openai' | 'anthropic'
  /** Public model name → the engine's own name for it. */
  readonly models: Readonly<Record<string, string>>
  /** Set-point: requests under way at once; beyond it they wait at the gateway. */
  readonly concurrency: number
  /** The operator takes it out of routing while it drains. */
  readonly draining: boolean
  /** Where it stands; absent: `mainSite`. */
  readonly site?: SiteId
  /** What is known of it beforehand; what is missing is learned or taken as usual. */
  readonly facts?: ReplicaFacts
}

export interface ReplicaFacts {
  /** Prompt tokens a second, when that is all it does. */
  readonly prefillTokensPerSecond?: number
  /** Tokens that its KV cache holds. */
  readonly cacheTokens?: number
  /** What an hour of it costs: capital, place and people; nano-dollars. */
  readonly nanoDollarsPerHour?: number
  /** Power above rest while it computes, and what a joule costs. */
  readonly activeWatts?: number
  readonly nanoDollarsPerJoule?: number
  /** A hosted engine: what its provider takes, by public name of the model; instead of the above. */
  readonly listPrices?: Readonly<Record<string, TokenListPrice>>
}

/** Nano-dollars per million tokens. */
export interface TokenListPrice {
  readonly input: number
  /** Prompt tokens that the provider had in its cache. */
  readonly cached: number
  readonly output: number
}

export const serves = (replica: Replica, model: ModelId): boolean => Object.hasOwn(replica.models, model)
