import type { Flow, Policy } from '../../lines/inference/flow.ts'
import type { Word } from '../../lines/inference/peers.ts'
import { livePolicy } from '../../lines/inference/policy.ts'
import type { Rule } from '../../lines/inference/rule.ts'
import type { SetPoints } from '../../lines/inference/set-points.ts'
import type { Bounds } from '../../lines/inference/snapshot.ts'
import type { ReplicaId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'

/** A policy as the twin tries it: the live one, or another of the same form. */
export interface TriedPolicy extends Policy {
  /** Who gets a place that has become free; undefined: nobody who waits can use one. */
  next(now: Seconds): Flow | undefined
  /** What probes say of a replica. */
  hear(replica: ReplicaId, up: boolean): void
  /** What control allows from now on; absent: it does as it likes. */
  obey?(points: SetPoints): void
  /** What it tells the other gateways; absent: they say nothing to each other. */
  tell?(now: Seconds): Word
  heard?(from: string, word: Word, now: Seconds): void
}

/** Each gateway has one of its own: what one learns the others do not know. */
export type PolicyOf = (bounds: Bounds) => TriedPolicy

/** The policy that runs live, under its own rule of routing or another. */
export const livePolicyUnder =
  (rule?: () => Rule): PolicyOf =>
  (bounds) => {
    const policy = livePolicy(bounds, rule?.())
    const { router } = policy
    return {
      ...policy,
      hear: (replica, up) => router.hear(replica, up),
      obey: (points) => router.allowed.obey(points),
      tell: (now) => router.tell(now),
      heard: (from, word, now) => router.heard(from, word, now),
    }
  }
