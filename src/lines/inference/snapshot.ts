import type { Allowances } from '../../books/allowance.ts'
import type { PriceVersion } from '../../books/price.ts'
import type { SloClass } from '../../books/slo-class.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ApplicationId, KeyId, ModelId, TenantId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { HedgeBounds } from './hedge.ts'

/** Whose a key is and what it may ask for; how much is in the snapshot's allowances. */
export interface Grant {
  readonly key: KeyId
  readonly tenant: TenantId
  readonly application: ApplicationId
  /** Models it may ask for; null: all. */
  readonly models: readonly ModelId[] | null
  readonly expires_ms: number | null
  /** Class of its requests, unless they say otherwise. */
  readonly slo: SloClass
}

/** Bounds of the gateway that admission obeys. */
export interface Bounds {
  /** Flows that wait for a free replica; beyond it an early refusal beats a late one. */
  readonly queueLength: number
  /** The longest a flow waits before it is refused. */
  readonly queueTime: Seconds
  /** The longest it waits while every engine of its model is away: one that restarts is back in about a second. */
  readonly absentTime: Seconds
  /** The longest it waits for a part of an allowance that others hold. */
  readonly leaseTime: Seconds
  /** Tries of one request, the first included: more only multiply the load of an outage. */
  readonly attempts: number
  /** Of second attempts at late requests; absent: there are none. */
  readonly hedging?: HedgeBounds
}

/**
 * All that a gateway needs to serve without the operator: immutable, numbered. A flow keeps the snapshot it was
 * admitted under, and its row names the number.
 */
export interface Snapshot {
  readonly number: number
  readonly published_ms: number
  /** By the hash of the key; the key itself is nowhere. */
  readonly grants: ReadonlyMap<string, Grant>
  readonly prices: readonly PriceVersion[]
  /** What keys, applications, tenants and models may use. */
  readonly allowances: Allowances
  /** What a token of a model drew lately, in mJ: from the books, estimated; missing: not known. */
  readonly energyPerToken_mj: ReadonlyMap<ModelId, number>
  readonly replicas: readonly Replica[]
  /** Other names for models: each stands for the first of its models that some engine serves just now. */
  readonly aliases: ReadonlyMap<string, readonly ModelId[]>
  /** Gateways that share the allowances: the part of each, while nobody grants leases. */
  readonly gateways: number
}

/** What may answer to a name, the first choice first. */
export const chainOf = ({ aliases }: Pick<Snapshot, 'aliases'>, name: ModelId): readonly ModelId[] =>
  aliases.get(name) ?? [name]

/** Public names of the models that some replica serves, and their aliases. */
export const modelsOf = (snapshot: Snapshot): ModelId[] =>
  [
    ...new Set([...snapshot.replicas.flatMap((replica) => Object.keys(replica.models)), ...snapshot.aliases.keys()]),
  ].sort() as ModelId[]
