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

/** What a second of chip time, of somebody's waiting and a missed promise cost, as far as they decide who gets a request. */
export interface Money {
  /** For replicas of which nobody said, and for the time of whoever waits; nano-dollars an hour. */
  readonly usualPerHour: number
  /** Revenue of a token of answer: what is lost with an answer that comes too late; nano-dollars. */
  readonly perOutputToken: number
  /** How much a token that is held in the KV cache delays who comes, as a share of one that is to be computed. */
  readonly heldShare: number
  /** How many tokens to be computed each request under way is worth, by the steps that it makes longer. */
  readonly requestTokens: number
}

export const usualMoney: Money = {
  usualPerHour: 2_000_000_000,
  perOutputToken: 600,
  heldShare: 0.1,
  requestTokens: 300,
}

/**
 * The expected marginal cost of serving a request on a replica, in nano-dollars:
 *
 *     prefill   (u / R) × ($/s + W × $/J)       its prompt's share of the chip; hosted: list price of u and of p − u cached ones
 *     decode    (o / D) × ($/s + W × $/J)       its answer's share of the chip; hosted: list price of o
 *     eviction  (u / R) × $/s × e               what its blocks will push out; hosted: nothing
 *     waiting   $/s × (q + u + h (k + p) + c·b) / R   its time until its first token
 *     behind    $/s × w × u / R / (1 − ρ)       the time of those who come before the queue there is empty again
 *     late      P(first token late) × price     what a broken promise costs
 *
 * u: uncached prompt tokens, p: all of them, o: the length of answers that the line reserves, q: uncached tokens in flight there,
 * k: tokens held there by its b requests under way, w: how many there have no token yet; R and D: its learned rates. q, k, b and
 * w are what this gateway sent and what the others last said of theirs; those of which nothing is heard are taken to send alike.
 *
 * e: how likely a block that is pushed out would have been used again, learned from how much of prompts is found. ρ: the share of
 * replicas that are found with a queue; a queue of w is left behind by w / (1 − ρ) requests, five times w at the most. h: decodes slow
 * the prefill that shares their steps, and a full cache makes it wait; c: each makes steps longer. h = 0.1 of {0, 0.1, 0.25} and
 * c = 300 of {100, 300, 600} were best on the beginning of both traces of `bench/routing.ts`: docs/routing.md has the figures, and
 * where other rules are better.
 */
export function moneyRule(money: Money = usualMoney): Required<Rule> {
  let reuse = 0.3
  let busyShare = 0.5
  let drain = 2
  const waiting = money.usualPerHour / 3600
  // Filled anew for each replica: an object each would be 256 of them a request.
  const parts = { prefill: 0, decode: 0, eviction: 0, waiting: 0, behind: 0, late: 0 }
  const fill = (view: ReplicaView, uncached: number, placing: Placing): void => {
    const { others, prefillRate, replica } = view
    const { prompt, output, due, gateways } = placing
    const running = gateways * view.running + others.running
    const waits = running - gateways * view.decoding - others.decoding
    const own_s = uncached / prefillRate
    const queue = gateways * view.prefilling + others.prefilling
    const first_s = (queue + uncached) / prefillRate + crowd_s(view.running, replica.concurrency)
    const held = gateways * view.held + others.held + prompt
    const busy = money.heldShare * held + money.requestTokens * running
    serve(view, uncached, placing, parts, money.usualPerHour)
    parts.eviction = isHosted(view, placing) ? 0 : own_s * reuse * chipPerSecond(view, money.usualPerHour)
    parts.waiting = waiting * (first_s + busy / prefillRate)
    parts.behind = waiting * waits * own_s * drain
    parts.late = late(first_s, due) * output * money.perOutputToken
  }
  return {
    name: 'money',
    begin(_, views) {
      let busy = 0
      for (let at = 0; at < views.length; at++) if (queueAt(views[at] as ReplicaView) > 0) busy++
      busyShare += 0.02 * (busy / views.length - busyShare)
      drain = Math.min(longestDrain, 1 / Math.max(0.01, 1 - busyShare))
    },
    learn(found, prompt) {
      if (prompt > 0) reuse += 0.02 * (found / prompt - reuse)
    },
    score(view, uncached, placing) {
      fill(view, uncached, placing)
      return parts.prefill + parts.decode + parts.eviction + parts.waiting + parts.behind + parts.late
    },
    parts(view, uncached, placing) {
      fill(view, uncached, placing)
      return { ...parts }
    },
  }
}

/** What is spent on a request itself: a hosted engine's bill, or the chip time and energy of one of ours. */
type Served = Pick<Placing, 'model' | 'prompt' | 'output'>

/** Prefill and decode alike, so that own replicas and hosted ones are compared by the same quantity; nano-dollars. */
export function servingCost(view: ReplicaView, uncached: number, served: Served): number {
  const parts = { prefill: 0, decode: 0 }
  serve(view, uncached, served, parts, usualMoney.usualPerHour)
  return parts.prefill + parts.decode
}

function serve(
  view: ReplicaView,
  uncached: number,
  { model, prompt, output }: Served,
  into: { prefill: number; decode: number },
  usualPerHour: number,
): void {
  const { facts } = view.replica
  const list = facts?.listPrices?.[model]
  if (list) {
    into.prefill = (list.input * uncached + list.cached * Math.max(0, prompt - uncached)) / 1e6
    into.decode = (list.output * output) / 1e6
    return
  }
  const perSecond = chipPerSecond(view, usualPerHour) + (facts?.activeWatts ?? 0) * (facts?.nanoDollarsPerJoule ?? 0)
  into.prefill = (uncached / view.prefillRate) * perSecond
  into.decode = (output / view.decodeRate) * perSecond
}

const isHosted = ({ replica }: ReplicaView, { model }: Placing): boolean =>
  replica.facts?.listPrices?.[model] !== undefined

const chipPerSecond = ({ replica }: ReplicaView, usualPerHour: number): number =>
  (replica.facts?.nanoDollarsPerHour ?? usualPerHour) / 3600

/** Of those whom a queue delays, per one who waits in it: near full, each would be one of very many, and no estimate of ρ is so good. */
const longestDrain = 5

/** Seconds until there is a place, when more run than it takes at once. */
const crowd_s = (running: number, concurrency: number): number => 10 * Math.max(0, (running + 1) / concurrency - 1)

/**
 * Probability that a first token expected after `first_s` is later than `due`: an S as wide as a third of it, of + − × ÷ alone,
 * so that it is the same to the bit in Node and in a browser.
 */
function late(first_s: number, due: number): number {
  const z = (3 * (first_s - due)) / Math.max(0.001, due)
  return 0.5 + (0.5 * z) / (1 + Math.abs(z))
}

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
