import type { Seconds } from '../../units/quantity.ts'
import { minus } from '../../units/quantity.ts'
import { Admitter } from './admit.ts'
import { RetryBudget } from './ejection.ts'
import type { EngineFault, Flow, Policy } from './flow.ts'
import { Hedging } from './hedge.ts'
import { Router } from './route.ts'
import type { Rule } from './rule.ts'
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
  const hedging = new Hedging(bounds.hedging ?? { share: 0, samples: 0 })
  return {
    admitter,
    router,
    next: (now) => admitter.next((flow) => router.room(flow, now)),
    admit: (flow, now) => admitter.admit(flow, (of) => router.room(of, now), now),
    route(flow, now) {
      if (flow.attempt === 0) retryBudget.asked()
      const replica = router.route(flow, now)
      const expected = flow.attempt === 0 && router.expected(flow)
      if (expected) hedging.served(expected.cost)
      return replica
    },
    choice: (flow) => router.choice(flow),
    begun: (flow) => router.begun(flow),
    patience(flow) {
      const expected = router.expected(flow)
      // Nobody waits for a batch.
      if (!expected || flow.ask.slo === 'batch' || flow.tries >= bounds.attempts) return undefined
      return hedging.patience(flow.model, expected.first)?.after
    },
    hedge(flow, now) {
      const expected = router.expected(flow)
      const replica = router.hedge(flow, now, (cost) => hedging.take(cost))
      if (!replica || !expected) return undefined
      const after_ms = Math.round((now - expected.sentAt) * 1000)
      return { replica, why: { after_ms, expected_ms: Math.round(expected.first * 1000) } }
    },
    exchanged: (flow) => router.exchange(flow),
    lost(flow, now) {
      if (!flow.rival?.hedge) {
        const expected = router.waited(flow, now)
        if (expected) hedging.took(flow.model, expected.first, minus(now, expected.sentAt))
      }
      router.lost(flow)
    },
    first(flow, now) {
      const expected = router.expected(flow)
      if (expected) hedging.took(flow.model, expected.first, minus(now, expected.sentAt))
      router.first(flow, now)
    },
    left: (flow, failure, now) => router.left(flow, failure, now),
    retries: (flow, failure) => worthAnother.has(failure.fault) && flow.tries < bounds.attempts && retryBudget.take(),
    extend: (flow, more, now) => admitter.extend(flow, more, now),
    settle: (flow, outcome, now) => admitter.settle(flow, outcome, now),
  }
}
