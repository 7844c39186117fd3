import type { Seconds } from '../../units/quantity.ts'
import { Admitter } from './admit.ts'
import type { EngineFault, Policy } from './flow.ts'
import { Router } from './route.ts'
import type { Bounds } from './snapshot.ts'

const worthAnother: ReadonlySet<EngineFault> = new Set(['unreachable', 'overloaded', 'crashed'])

/** The live policy: the stages' decisions side by side. Its owner may look into both, for headers and `status`. */
export interface LivePolicy extends Policy {
  readonly admitter: Admitter
  readonly router: Router
}

export function livePolicy(bounds: Bounds): LivePolicy {
  const admitter = new Admitter(bounds)
  const router = new Router()
  return {
    admitter,
    router,
    admit: (flow, now: Seconds) => admitter.admit(flow, router.room(flow), now),
    route: (flow) => router.route(flow),
    left: (flow) => flow.replica && router.left(flow.replica.id),
    retries: (flow, failure) => worthAnother.has(failure.fault) && flow.attempt < bounds.attempts,
    extend: (flow, more, now) => admitter.extend(flow, more, now),
    settle: (flow, outcome, now) => admitter.settle(flow, outcome, now),
  }
}
