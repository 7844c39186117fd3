import type { Outcome } from '../../books/row.ts'
import { assert } from '../../units/assert.ts'
import type { Seconds } from '../../units/quantity.ts'
import { plus, tokens } from '../../units/quantity.ts'
import { refusal } from './errors.ts'
import type { Ending, Event, Flow, Policy, World } from './flow.ts'
import { closeRow, metered, openRow, outcomeOf } from './meter.ts'
import { lineUp, raceOf } from './race.ts'

/**
 * The whole path of a request, told, not awaited: S1 admit → S2 route → S3 generate → S4 meter → S5 post.
 *
 * Any event in any phase is safe. A flow settles exactly once; dropping it at any event leaves books that balance,
 * since its open row is durable before content leaves and its close row before the last byte does.
 */
export const inferenceLine = (policy: Policy, world: World) => {
  const race = raceOf(policy, world, (flow, outcome, now) => post(flow, outcome, now))
  const admit = (flow: Flow, now: Seconds): void => {
    const admission = policy.admit(flow, now)
    if (admission.verdict === 'queued') {
      flow.phase = 'queued'
      return world.wait(flow, admission.retryAfter)
    }
    if (admission.verdict === 'refused') return leave(flow, { kind: 'refused', refusal: admission.refusal }, now)
    flow.admittedAt = now
    flow.phase = 'generating'
    if (flow.hit) return known(flow, now)
    world.append(flow, openRow(flow)) // not waited for: it travels with the group commit while the engine starts
    route(flow, now)
  }
  /** Nothing leaves before its close row is durable, so it needs no open one. */
  const known = (flow: Flow, now: Seconds): void => {
    flow.firstAt = now
    post(flow, 'complete', now)
  }
  const route = (flow: Flow, now: Seconds): void => {
    const replica = policy.route(flow, now)
    if (!replica) return post(flow, 'upstream_error', now)
    race.start(flow, replica)
    const after = policy.patience(flow)
    if (after !== undefined) world.watch(flow, after)
  }
  const post = (flow: Flow, outcome: Outcome, now: Seconds): void => {
    assert(flow.phase === 'generating', 'a request settles once')
    if (flow.rival) {
      flow.over = outcome // its row waits for what the other attempt used
      return
    }
    lineUp(flow, flow.attempt)
    flow.phase = 'posting'
    const final = flow.cut ?? outcome
    policy.settle(flow, final, now)
    flow.closing = closeRow(flow, final, now)
    world.append(flow, flow.closing)
  }
  const leave = (flow: Flow, ending: Ending, now: Seconds): void => {
    if (flow.phase !== 'posting') policy.settle(flow, undefined, now)
    flow.phase = 'done'
    world.finish(flow, ending)
  }
  const first = (flow: Flow, now: Seconds): void => {
    flow.firstAt = now
    policy.first(flow, now)
  }
  const cut = (flow: Flow, why: Outcome): void => {
    flow.cut ??= why
    if (flow.over) return
    race.withdraw(flow)
    world.cancel(flow, flow.attempt)
  }
  const ended = (flow: Flow, event: Event & { kind: 'ended' | 'failed' }, now: Seconds): void => {
    flow.attempts.push(metered(flow, event.usage))
    policy.left(flow, event.kind === 'failed' ? event.failure : undefined, now)
    if (event.kind === 'failed' && race.alone(flow)) return // the other attempt goes on
    race.decide(flow)
    if (event.kind === 'ended') return post(flow, 'complete', now)
    flow.failure = event.failure
    if (flow.produced === 0 && !flow.cut && policy.retries(flow, event.failure)) return route(flow, now)
    post(flow, outcomeOf(event.failure.fault), now)
  }
  const journaled = (flow: Flow, event: Event & { kind: 'journaled' | 'unjournaled' }, now: Seconds): void => {
    if (event.row === 'open') {
      if (event.kind === 'journaled') return flow.phase === 'done' ? undefined : world.release(flow)
      return flow.phase === 'generating' ? cut(flow, 'journal_unavailable') : undefined
    }
    if (flow.phase !== 'posting' || !flow.closing) return
    if (event.kind === 'unjournaled') {
      flow.closing = { ...flow.closing, outcome: 'journal_unavailable' }
      world.keep(flow, flow.closing)
    } else if (flow.hit) {
      world.release(flow)
      world.write(flow, flow.hit.bytes)
    }
    leave(flow, { kind: 'settled', outcome: flow.closing.outcome }, now)
  }
  return (flow: Flow, event: Event, now: Seconds): void => {
    if ('attempt' in event) {
      if (flow.phase !== 'generating') return
      if (event.attempt === flow.rival?.attempt) {
        if (flow.rival.lost) return race.heard(flow, flow.rival, event, now)
        race.turnTo(flow)
      } else if (event.attempt !== flow.attempt || flow.over) return // late
    }
    switch (event.kind) {
      case 'asked':
      case 'turn':
        if (flow.phase === 'asked' || flow.phase === 'queued') admit(flow, now)
        return
      case 'client_closed':
        if (flow.phase === 'queued') return leave(flow, { kind: 'left' }, now)
        if (flow.phase === 'generating') cut(flow, 'client_closed')
        return
      case 'deadline':
        if (flow.phase === 'queued')
          return leave(flow, { kind: 'refused', refusal: refusal('timeout', 'waited too long for a free engine') }, now)
        if (flow.phase === 'generating') cut(flow, 'timeout')
        return
      case 'denied':
        if (flow.phase !== 'generating' || flow.cut) return
        flow.denial = event.refusal
        return cut(flow, 'denied')
      case 'begun':
        flow.begun = { input_uncached: event.input_uncached, cache_read: event.cache_read }
        policy.begun(flow)
        if (!flow.cut && !policy.extend(flow, tokens(0), now)) cut(flow, 'budget_exhausted')
        return
      case 'late':
        return race.late(flow, now)
      case 'chunk':
        flow.answered = true
        race.decide(flow)
        if (!flow.cut && !policy.extend(flow, event.tokens, now)) cut(flow, 'budget_exhausted')
        flow.produced = plus(flow.produced, event.tokens)
        if (event.tokens > tokens(0) && flow.firstAt === undefined) first(flow, now)
        if (!flow.cut) world.write(flow, event.bytes)
        return
      case 'ended':
      case 'failed':
        return ended(flow, event, now)
      case 'journaled':
      case 'unjournaled':
        return journaled(flow, event, now)
    }
  }
}
