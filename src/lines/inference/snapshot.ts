import type { PriceVersion } from '../../books/price.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ApplicationId, KeyId, ModelId, TenantId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'

/** What a key allows. Limits are per key and minute; null: none. */
export interface Grant {
  readonly key: KeyId
  readonly tenant: TenantId
  readonly application: ApplicationId
  /** Models it may ask for; null: all. */
  readonly models: readonly ModelId[] | null
  readonly requests_per_minute: number | null
  readonly tokens_per_minute: number | null
  readonly expires_ms: number | null
}

/** Bounds of the gateway that admission obeys. */
export interface Bounds {
  /** Flows that wait for a free replica; beyond it an early refusal beats a late one. */
  readonly queueLength: number
  /** The longest a flow waits before it is refused. */
  readonly queueTime: Seconds
  /** Tries of one request, the first included: more only multiply the load of an outage. */
  readonly attempts: number
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
  readonly replicas: readonly Replica[]
  /** Gateways that share a key's limits: each holds an equal part. */
  readonly gateways: number
}

/** Public names of the models that some replica serves. */
export const modelsOf = (snapshot: Snapshot): ModelId[] =>
  [...new Set(snapshot.replicas.flatMap((replica) => Object.keys(replica.models)))].sort() as ModelId[]
