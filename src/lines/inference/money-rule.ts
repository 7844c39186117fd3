import type { ModelId } from '../../units/ids.ts'
import type { Placing, ReplicaView } from './replica-view.ts'
import type { Rule } from './rule.ts'
import { chipPerSecond, isHosted, serve, usualPerHour } from './serving-cost.ts'

/** What somebody's time and a missed promise cost, as far as they decide who gets a request. */
export interface Money {
  /** The time of whoever waits; nano-dollars an hour. */
  readonly waitingPerHour: number
  /** A wait as long as the promise costs so many times more than its length alone: most mind two waits of a second less than one of two. */
  readonly longWait: number
  /** A second that is lost within an answer, as a share of one before it. */
  readonly answerShare: number
  /** Work of a held token in each step, as a share of a token that is computed. */
  readonly heldShare: number
  /** When no replica has time left: how often the delay by a computed token is passed on to who comes later. */
  readonly passedOn: number
  /** Revenue of a token of answer: what is lost with an answer that comes too late; nano-dollars. */
  readonly perOutputToken: number
}

export const usualMoney: Money = {
  waitingPerHour: usualPerHour,
  longWait: 4,
  answerShare: 0.1,
  heldShare: 0.001,
  passedOn: 20,
  perOutputToken: 600,
}

/**
 * The expected marginal cost of serving a request on a replica, in nano-dollars:
 *
 *     prefill   (u / R) × ($/s + W × $/J)           its prompt's share of the chip; hosted: list price of u and of p − u cached ones
 *     decode    (o / D) × ($/s + W × $/J)           its answer's share of the chip; hosted: list price of o
 *     eviction  (u / R) × $/s × e                   what its blocks will push out; hosted: nothing
 *     waiting   w$ × (t + 4 t (t + 2 a) / T)        its time until its first token, t = (q + u) / R: long waits cost more
 *               + w$ × s × o × (b + h (k + p)) / R  its time between tokens: each step computes one of each and reads what is held
 *     behind    w$ × (u / R) × n                    the time of those who are there, n = 2 w + s d
 *               + w$ × (u / R̄) × 20 N               the time of those who come later, wherever that is; hosted: nothing
 *     late      P(first token late) × price         what a broken promise costs
 *
 * u: uncached prompt tokens, p: all of them, o: the length of answers that the line reserves, q: uncached tokens in flight there,
 * k: tokens held there by its b requests under way, of which w have no token yet and d have; R and D: its learned rates, R̄: the mean
 * rate of all. These are what this gateway sent and what the others last said of theirs; those of which nothing is heard are taken to
 * send alike. a: how long it has waited already; T: the first token's promise; w$: the time of who waits; s = 0.1.
 *
 * e: how likely a block that is pushed out would have been used again, learned from how much of prompts is found. n: a prompt in
 * a step delays all who are in it or come behind, those that wait and those that decode. N: the least n of all replicas of its model, learned: as long
 * as one has time, work delays nobody for long; when none has, it is passed on from one to the next until the crowd is gone. It is
 * one price of a token for all of them, so it does not say where new prompts go, but what it is worth to find an old one. The
 * constants are the best of those that `docs/routing.md` lists, with where other rules are better.
 */
export function moneyRule(money: Money = usualMoney): Required<Rule> {
  let reuse = 0.3
  const crowds = new Map<ModelId, number>()
  let [crowd, meanRate] = [0, 1]
  const waiting = money.waitingPerHour / 3600
  // Filled anew for each replica: an object each would be 256 of them a request.
  const parts = { prefill: 0, decode: 0, eviction: 0, waiting: 0, behind: 0, late: 0 }
  const delayed = ({ running, decoding, others }: ReplicaView, gateways: number): number => {
    const decode = gateways * decoding + others.decoding
    return followers * (gateways * running + others.running - decode) + money.answerShare * decode
  }
  const fill = (view: ReplicaView, uncached: number, placing: Placing): void => {
    const { others, prefillRate } = view
    const { prompt, output, due, promise, gateways } = placing
    const own_s = uncached / prefillRate
    const first_s = (gateways * view.prefilling + others.prefilling + uncached) / prefillRate + crowd_s(view)
    const held = gateways * view.held + others.held + prompt
    const step = gateways * view.running + others.running + money.heldShare * held
    const long_s = (money.longWait * first_s * (first_s + 2 * (promise - due))) / promise
    const hosted = isHosted(view, placing)
    serve(view, uncached, placing, parts)
    parts.eviction = hosted ? 0 : own_s * reuse * chipPerSecond(view)
    parts.waiting = waiting * (first_s + long_s + (money.answerShare * output * step) / prefillRate)
    const later_s = hosted ? 0 : (money.passedOn * crowd * uncached) / meanRate
    parts.behind = waiting * (own_s * delayed(view, gateways) + later_s)
    parts.late = late(first_s, due) * output * money.perOutputToken
  }
  return {
    name: 'money',
    begin({ model, gateways }, views) {
      let [least, rates] = [Number.POSITIVE_INFINITY, 0]
      for (let at = 0; at < views.length; at++) {
        const view = views[at] as ReplicaView
        least = Math.min(least, delayed(view, gateways))
        rates += view.prefillRate
      }
      const before = crowds.get(model) ?? 0
      crowd = before + 0.02 * (least - before)
      crowds.set(model, crowd)
      meanRate = rates / views.length
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

/** Who waits is followed by one more, on average, before the queue is empty again. */
const followers = 2

/** Seconds until there is a place, when more run than it takes at once. */
const crowd_s = ({ running, replica }: ReplicaView): number => 10 * Math.max(0, (running + 1) / replica.concurrency - 1)

/**
 * Probability that a first token expected after `first_s` is later than `due`: an S as wide as a third of it, of + − × ÷ alone,
 * so that it is the same to the bit in Node and in a browser.
 */
function late(first_s: number, due: number): number {
  const z = (3 * (first_s - due)) / Math.max(0.001, due)
  return 0.5 + (0.5 * z) / (1 + Math.abs(z))
}
