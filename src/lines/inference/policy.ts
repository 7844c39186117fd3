import type { Seconds } from '../../units/quantity.ts'
import { Admitter } from './admit.ts'
import { RetryBudget } from './ejection.ts'
import type { EngineFault, Flow, Policy } from './flow.ts'
import { Router } from './route.ts'
import type { Rule } from './routing.ts'
import type { Bounds } from './snapshot.ts'

const worthAnother: ReadonlySet<EngineFault> = new Set(['unreachable', 'overloaded', 'crashed'])

/** The live policy: the stages' decisions side by side. Its owner may look into both, for headers and `status`. */
export interface LivePolicy extends Policy {
  readonly admitter: Admitter
  readonly router: Router
  /** Who gets a place that has become free; undefined: nobody who waits can use one. */
  next(now: Seconds): Flow | undefined
}

export function livePolicy(bounds: Bounds, rule?: Rule): LivePolicy {
  const admitter = new Admitter(bounds)
  const router = new Router(rule)
  const retryBudget = new RetryBudget()
  return {
    admitter,
    router,
    next: (now) => admitter.next((flow) => router.room(flow, now)),
    admit: (flow, now) => admitter.admit(flow, (of) => router.room(of, now), now),
    route(flow, now) {
      if (flow.attempt === 0) retryBudget.asked()
      return router.route(flow, now)
    },
    begun: (flow) => router.begun(flow),
    first: (flow, now) => router.first(flow, now),
    left: (flow, failure, now) => router.left(flow, failure, now),
    retries: (flow, failure) => worthAnother.has(failure.fault) && flow.attempt < bounds.attempts && retryBudget.take(),
    extend: (flow, more, now) => admitter.extend(flow, more, now),
    settle: (flow, outcome, now) => admitter.settle(flow, outcome, now),
  }
}
