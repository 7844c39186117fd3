import type { ModelId, ReplicaId } from '../../units/ids.ts'

/** One engine that serves: the embedded llama.cpp, or an upstream behind a URL. */
export interface Replica {
  readonly id: ReplicaId
  readonly vendor: 'llama' | 'openai'
  /** Public model name → the engine's own name for it. */
  readonly models: Readonly<Record<string, string>>
  /** Set-point: requests under way at once; beyond it they wait at the gateway. */
  readonly concurrency: number
  /** The operator takes it out of routing while it drains. */
  readonly draining: boolean
}

/** Gateways keep this per replica; it is their own view, not the world's. */
export interface ReplicaLoad {
  /** Attempts under way. */
  running: number
  /** The last word from it: whether it answers. */
  up: boolean
}

export const serves = (replica: Replica, model: ModelId): boolean => Object.hasOwn(replica.models, model)
