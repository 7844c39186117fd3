import type { CostParts } from '../../books/row.ts'
import type { Placing, ReplicaView } from './replica-view.ts'

/** A rule by which replicas are compared: the least score is taken. `uncached`: tokens that this replica would compute. */
export interface Rule {
  readonly name: string
  /** What it needs to know of all of them, once a request. */
  begin?(placing: Placing, views: readonly ReplicaView[], uncached: ArrayLike<number>): void
  score(view: ReplicaView, uncached: number, placing: Placing): number
  /** What a score is made of, for a rule that counts in money. */
  parts?(view: ReplicaView, uncached: number, placing: Placing): CostParts
  learn?(found: number, prompt: number): void
}
