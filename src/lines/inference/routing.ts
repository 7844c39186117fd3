import type { Placing, ReplicaView } from './replica-view.ts'

/** A rule by which replicas are compared: the least score is taken. `uncached`: tokens that this replica would compute. */
export interface Rule {
  readonly name: string
  /** What it needs to know of all of them, once a request. */
  begin?(placing: Placing, views: readonly ReplicaView[], uncached: ArrayLike<number>): void
  score(view: ReplicaView, uncached: number, placing: Placing): number
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
  heldShare: 0.25,
  requestTokens: 600,
}

/**
 * The expected marginal cost of serving a request on a replica, in nano-dollars:
 *
 *     chip    (u / R) × $/s × (1 + e)                 its prompt's share of the chip, and of what its blocks will push out
 *     energy  (u / R) × W × $/J
 *     wait    $/s × (n·q + u + h (n·k + p) + c·n·b) / R   its time until its first token
 *     others  $/s × n·w × u / R                       the time of those who come after it: on average as many as wait there now
 *     miss    P(first token late) × price             what a broken promise costs
 *     list    a hosted engine's price, instead of chip and energy
 *
 * u: uncached prompt tokens, p: all of them, q: those in flight there, k: tokens held there by its b requests under way, R: its
 * learned rate, w: how many there have no token yet. q, k, b and w are what this gateway sent; n gateways send alike. e: how likely a block that is pushed out would have
 * been used again, learned from how much of prompts is found. h: decodes slow the prefill that shares their steps, and a full
 * cache makes it wait; c: each makes steps longer. h = 0.25 of {0, 0.2, 0.25, 0.3, 0.5, 1} and c = 600 of {0, 100, 400, 600, 1000,
 * 2000} were best on the beginning of both traces of `bench/routing.ts`, which prints where others are better.
 */
export function moneyRule(money: Money = usualMoney): Rule & { learn(found: number, prompt: number): void } {
  let reuse = 0.3
  const waiting = money.usualPerHour / 3600
  return {
    name: 'money',
    learn(found, prompt) {
      if (prompt > 0) reuse += 0.02 * (found / prompt - reuse)
    },
    score({ replica, prefillRate, prefilling, held, running, decoding }, uncached, placing) {
      const { prompt, output, due, gateways } = placing
      const { concurrency } = replica
      const own_s = uncached / prefillRate
      const first_s = (gateways * prefilling + uncached) / prefillRate + crowd_s(running, concurrency)
      const busy = money.heldShare * (gateways * held + prompt) + money.requestTokens * gateways * running
      const serving = servingCost(replica, own_s, uncached, placing, money.usualPerHour, 1 + reuse)
      const behind_s = gateways * (running - decoding) * own_s
      return (
        serving +
        waiting * (first_s + behind_s + busy / prefillRate) +
        late(first_s, due) * output * money.perOutputToken
      )
    },
  }
}

/** The terms chip and energy of the score, or list; nano-dollars. `blocks`: what its blocks push out counts as chip time too. */
export function servingCost(
  { facts }: ReplicaView['replica'],
  own_s: number,
  uncached: number,
  { model, prompt, output }: Pick<Placing, 'model' | 'prompt' | 'output'>,
  usualPerHour = usualMoney.usualPerHour,
  blocks = 1,
): number {
  const list = facts?.listPrices?.[model]
  if (list) return (list.input * uncached + list.cached * Math.max(0, prompt - uncached) + list.output * output) / 1e6
  const perSecond = (facts?.nanoDollarsPerHour ?? usualPerHour) / 3600
  return own_s * (perSecond * blocks + (facts?.activeWatts ?? 0) * (facts?.nanoDollarsPerJoule ?? 0))
}

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

/** Named rules to compare with and fall back on, restated from the projects' own descriptions. */
export const rules: Readonly<Record<string, () => Rule>> = {
  money: () => moneyRule(),
  'least-requests': () => ({ name: 'least-requests', score: (view) => view.running / view.replica.concurrency }),
  'least-uncached': () => ({ name: 'least-uncached', score: (view, uncached) => view.prefilling + uncached }),
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
      const loads = views.map((view) => view.running)
      const [most, least] = [Math.max(...loads), Math.min(...loads)]
      unbalanced = most - least > 32 && most > 1.1 * least
    },
    score(view, uncached, { prompt }) {
      const matched = prompt === 0 ? 0 : 1 - uncached / prompt
      return unbalanced || matched <= 0.5 ? view.running : -1e6 * matched
    },
  }
}

/** Prefill blocks in flight and to come, less what is cached, plus blocks that decode. */
const dynamoLinear = (): Rule => ({
  name: 'dynamo-linear',
  score: (view, uncached, { prompt }) => view.prefilling + uncached + view.held + prompt,
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
        const first_s = (view.prefilling + (uncached[at] ?? 0)) / view.prefillRate
        if ((uncached[at] ?? 0) <= 0.2 * prompt) bestWarm = Math.min(bestWarm, first_s)
        bestCold = Math.min(bestCold, first_s)
      }
      stick = bestWarm - bestCold <= 18
    },
    score(view, uncached, { prompt }) {
      const isWarm = uncached <= 0.2 * prompt
      return view.prefilling + uncached + (stick && !isWarm ? 1e12 : 0)
    },
  }
}
