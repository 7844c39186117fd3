import type { SloClass } from '../../books/slo-class.ts'
import type { ModelId, ReplicaId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'

/**
 * What control allows for now. Unlike prices and budgets these are not of the snapshot that a flow was admitted under: whoever waits or
 * is routed obeys those in force.
 */
export interface SetPoints extends Points {
  /** When they were decided. */
  readonly at_ms: number
  /** What holds at times to come, should nothing newer be heard until then; by their beginnings. */
  readonly later: readonly (Points & { readonly from_ms: number; readonly until_ms: number })[]
}

export interface Points {
  /** Requests under way at once at a replica, of all gateways together; missing: as many as it takes. */
  readonly concurrency: ReadonlyMap<ReplicaId, number>
  /** Models and classes whose requests wait: `heldName` of each. */
  readonly held: ReadonlySet<string>
}

export const noSetPoints: SetPoints = { concurrency: new Map(), held: new Set(), at_ms: 0, later: [] }

/** Those that hold at a moment; of two foreseen that overlap the one that began last. */
export const pointsAt = (points: SetPoints, now_ms: number): Points =>
  points.later.findLast(({ from_ms, until_ms }) => points.at_ms < from_ms && from_ms <= now_ms && now_ms < until_ms) ??
  points

export const heldName = (model: ModelId, slo: SloClass): string => `${slo} ${model}`

/** What is allowed as time goes on. */
export class Allowed {
  #told: SetPoints = noSetPoints
  #now: Points = noSetPoints

  obey(points: SetPoints): void {
    this.#told = points
    this.#now = points
  }

  /** What was foreseen for now holds. */
  turn(now: Seconds): Points {
    if (this.#told.later.length > 0) this.#now = pointsAt(this.#told, now * 1000)
    return this.#now
  }

  /** Requests at once, of all gateways together; undefined: as many as it takes. */
  most(replica: ReplicaId): number | undefined {
    return this.#now.concurrency.get(replica)
  }

  isHeld(model: ModelId, slo: SloClass): boolean {
    return this.#now.held.has(heldName(model, slo))
  }
}
