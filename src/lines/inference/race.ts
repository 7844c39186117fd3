import type { Outcome } from '../../books/row.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { Seconds } from '../../units/quantity.ts'
import { plus } from '../../units/quantity.ts'
import type { Event, Flow, Hedge, Policy, Rival, World } from './flow.ts'
import { metered } from './meter.ts'

/**
 * Attempts at one request: one, or two beside each other when the first is late. Whose chunk or end comes first wins; the other is
 * cancelled, and only what it used is still heard of. `post` settles the flow once that is known.
 */
export const raceOf = (policy: Policy, world: World, post: (flow: Flow, outcome: Outcome, now: Seconds) => void) => {
  const start = (flow: Flow, replica: Replica, why?: Hedge['why']): void => {
    flow.attempt = ++flow.tries
    flow.replica = replica
    flow.begun = undefined
    flow.hedge = why
    flow.choice = policy.choice(flow)
    world.generate(flow, replica)
  }
  const late = (flow: Flow, now: Seconds): void => {
    if (flow.answered || flow.cut || flow.rival) return
    const hedge = policy.hedge(flow, now)
    if (!hedge) return
    flow.rival = rivalOf(flow)
    start(flow, hedge.replica, hedge.why)
  }
  const turnTo = (flow: Flow): void => {
    exchange(flow)
    policy.exchanged(flow)
  }
  const decide = (flow: Flow): void => {
    if (!flow.rival || flow.rival.lost) return
    flow.rival.lost = true
    world.cancel(flow, flow.rival.attempt)
  }
  /** What is still heard of an attempt that lost: it changes nothing but its own figures. */
  const heard = (flow: Flow, rival: Rival, event: Event, now: Seconds): void => {
    if (event.kind === 'begun') rival.begun = { input_uncached: event.input_uncached, cache_read: event.cache_read }
    if (event.kind === 'chunk') rival.produced = plus(rival.produced, event.tokens)
    if (event.kind !== 'ended' && event.kind !== 'failed') return
    flow.attempts.push(metered(flow, event.usage, rival))
    policy.lost(flow, now)
    flow.rival = undefined
    if (flow.over) post(flow, flow.over, now)
  }
  /** The own attempt failed: the other, if there is one, is all that is left. */
  const alone = (flow: Flow): boolean => {
    if (!flow.rival || flow.rival.lost) return false
    turnTo(flow)
    flow.rival = undefined
    return true
  }
  /** Whoever leaves does not pay for two: the first attempt stays. */
  const withdraw = (flow: Flow): void => {
    if (!flow.rival || flow.rival.lost) return
    if (!flow.rival.hedge) turnTo(flow)
    decide(flow)
  }
  return { start, late, turnTo, decide, heard, alone, withdraw }
}

/** Of two attempts under way, the one that is looked at becomes the flow's own, and the other its rival. */
function exchange(flow: Flow): void {
  const { rival } = flow
  if (!rival) return
  flow.rival = rivalOf(flow)
  flow.attempt = rival.attempt
  flow.replica = rival.replica
  flow.begun = rival.begun
  flow.hedge = rival.hedge
  flow.choice = rival.choice
}

/** The flow's own attempt, as it is when another starts beside it. */
const rivalOf = ({ attempt, replica, begun, hedge, choice, produced }: Flow): Rival => ({
  attempt,
  replica,
  begun,
  hedge,
  choice,
  produced,
  lost: false,
})

/** The winner stands last: the request's outcome is its own. */
export function lineUp(flow: Flow, winner: number): void {
  flow.attempts.sort((a, b) => Number(a.number === winner) - Number(b.number === winner))
}
