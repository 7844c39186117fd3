import type { Replica } from '../../../plant/infrastructure/replica.ts'
import { serves } from '../../../plant/infrastructure/replica.ts'
import type { ModelId } from '../../../units/ids.ts'
import { heldName, noSetPoints, type Points } from '../set-points.ts'

/** What batches must know of a gateway before they begin one more line. */
export interface Load {
  /** Requests at once that the replicas of its models take together. */
  readonly capacity: number
  /** Requests under way on these models, lines of batches included. */
  readonly running: number
  /** Requests of anybody that wait for a place. */
  readonly waiting: number
}

/** Of eight places one is kept for who comes next, so that a person does not wait for the end of a line. */
const keptFree = 1 / 8

/** Whether a line of a batch may begin: nobody waits, and a place is left over after it. The only place is nobody's. */
export function hasHeadroom({ capacity, running, waiting }: Load): boolean {
  const kept = capacity > 1 ? Math.ceil(capacity * keptFree) : 0
  return waiting === 0 && running < capacity - kept
}

/** Null: nobody serves them. Under set-points it may be nothing. */
export function capacityFor(
  replicas: readonly Replica[],
  models: readonly ModelId[],
  points: Points = noSetPoints,
): number | null {
  const able = replicas.filter((replica) => !replica.draining && models.some((model) => serves(replica, model)))
  if (able.length === 0) return null
  if (models.every((model) => points.held.has(heldName(model, 'batch')))) return 0
  return able.reduce(
    (sum, { id, concurrency }) => sum + Math.min(concurrency, points.concurrency.get(id) ?? concurrency),
    0,
  )
}
