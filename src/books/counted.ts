import type { ReplicaId } from '../units/ids.ts'

/** What an engine's own counters grew by between two looks at them. */
export interface Counted {
  readonly engine: ReplicaId
  readonly from_ms: number
  readonly to_ms: number
  readonly prompt: number
  readonly output: number
  /** `prompt` counts what came from the prefix cache, too. */
  readonly cached: boolean
}

/** By kind of token, as engines count them. */
export interface Kinds {
  readonly prompt: number
  readonly output: number
}

export const noKinds: Kinds = { prompt: 0, output: 0 }

/** A look that was compared with our requests: what none of them explains, and what is carried to the next look. */
export interface Explained {
  readonly foreign: Kinds
  readonly balance: Kinds
}
