import { moneyRule } from './money-rule.ts'
import type { ReplicaView } from './replica-view.ts'
import type { Rule } from './rule.ts'

/** What is under way at a replica by this gateway's own count and the last word of the others. */
const requestsAt = ({ running, others }: ReplicaView): number => running + others.running
const queueAt = ({ prefilling, others }: ReplicaView): number => prefilling + others.prefilling

/** Named rules to compare with and fall back on, restated from the projects' own descriptions. They hear what other gateways say, too. */
export const rules: Readonly<Record<string, () => Rule>> = {
  money: () => moneyRule(),
  'least-requests': () => ({ name: 'least-requests', score: (view) => requestsAt(view) / view.replica.concurrency }),
  'least-uncached': () => ({ name: 'least-uncached', score: (view, uncached) => queueAt(view) + uncached }),
  'round-robin': () => {
    let turn = 0
    let count = 1
    return {
      name: 'round-robin',
      begin(_, views) {
        turn++
        count = views.length
      },
      score: (view) => (view.index - turn + 1024 * count) % count,
    }
  },
  random: () => {
    let state = 1
    return {
      name: 'random',
      score() {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state
      },
    }
  },
  'sglang-like': () => sglangLike(),
  'dynamo-linear': () => dynamoLinear(),
  'llmd-sticky': () => llmdSticky(),
}

/** Out of balance (most − least > 32 and most > 1.1 × least requests): the least loaded; else the longest match above half. */
function sglangLike(): Rule {
  let unbalanced = false
  return {
    name: 'sglang-like',
    begin(_, views) {
      const loads = views.map(requestsAt)
      const [most, least] = [Math.max(...loads), Math.min(...loads)]
      unbalanced = most - least > 32 && most > 1.1 * least
    },
    score(view, uncached, { prompt }) {
      const matched = prompt === 0 ? 0 : 1 - uncached / prompt
      return unbalanced || matched <= 0.5 ? requestsAt(view) : -1e6 * matched
    },
  }
}

/** Prefill blocks in flight and to come, less what is cached, plus blocks that decode. */
const dynamoLinear = (): Rule => ({
  name: 'dynamo-linear',
  score: (view, uncached, { prompt }) => queueAt(view) + uncached + view.held + view.others.held + prompt,
})

/** Those with 80 % of the prompt if any, by uncached tokens in flight; unless a cold one would be 18 s earlier. */
function llmdSticky(): Rule {
  let [stick, bestWarm, bestCold] = [false, 0, 0]
  return {
    name: 'llmd-sticky',
    begin({ prompt }, views, uncached) {
      bestWarm = Number.POSITIVE_INFINITY
      bestCold = Number.POSITIVE_INFINITY
      for (let at = 0; at < views.length; at++) {
        const view = views[at] as ReplicaView
        const first_s = (queueAt(view) + (uncached[at] ?? 0)) / view.prefillRate
        if ((uncached[at] ?? 0) <= 0.2 * prompt) bestWarm = Math.min(bestWarm, first_s)
        bestCold = Math.min(bestCold, first_s)
      }
      stick = bestWarm - bestCold <= 18
    },
    score(view, uncached, { prompt }) {
      const isWarm = uncached <= 0.2 * prompt
      return queueAt(view) + uncached + (stick && !isWarm ? 1e12 : 0)
    },
  }
}
