import type { Allowance } from '../../books/allowance.ts'
import { binding } from '../../books/allowance.ts'
import type { Outcome } from '../../books/row.ts'
import { isBilled } from '../../books/row.ts'
import type { Usage } from '../../books/usage.ts'
import { filledFrom, inputTokens, missingUsage, outputTokens, usageFrom, without } from '../../books/usage.ts'
import { formatDollars, nanoDollars } from '../../units/amount.ts'
import type { ModelId } from '../../units/ids.ts'
import type { Seconds, Tokens } from '../../units/quantity.ts'
import { plus, seconds, smaller, tokens } from '../../units/quantity.ts'
import type { ErrorCode, Refusal } from './errors.ts'
import { refusal } from './errors.ts'
import type { Admission, Flow, Room } from './flow.ts'
import { possiblePrices } from './flow-price.ts'
import { amountOf, needsOf, usedSoFar } from './need.ts'
import { Pace } from './pace.ts'
import type { Taking } from './purse.ts'
import { Purses } from './purse.ts'
import type { Waiting } from './queue.ts'
import { FairQueue } from './queue.ts'
import { OutputLengths } from './reserve.ts'
import { sloTerms } from './slo.ts'
import type { Bounds } from './snapshot.ts'

/** Until a model has answered once, its answers are taken to be this long. */
const firstGuess = tokens(256)

/** S1: allowances, a reserve at a learned output length, and a bounded queue when all replicas are busy. */
export class Admitter {
  readonly purses = new Purses()
  readonly #bounds: Bounds
  readonly #lengths = new Map<ModelId, OutputLengths>()
  readonly #queue = new FairQueue<Flow>()
  /** Flows that wait for a part of an allowance. */
  readonly #leasing = new Set<Flow>()
  readonly #pace = new Pace()

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  get waiting(): number {
    return this.#queue.size + this.#leasing.size
  }

  /** `roomFor`: whether some replica could take a flow now. A place goes to whom it is due, not to who asks first. */
  admit(flow: Flow, roomFor: (flow: Flow) => Room, now: Seconds): Admission {
    const taken = this.#take(flow, now)
    if (taken !== 'taken') return taken
    this.#leasing.delete(flow)
    if (flow.hit) return { verdict: 'admitted' } // it needs no engine, and no place
    const room = roomFor(flow)
    if (room === 'free' && (this.#queue.size === 0 || this.#isNext(flow, roomFor))) {
      if (this.#queue.has(flow)) this.#pace.served(now)
      this.#queue.served(flow)
      return { verdict: 'admitted' }
    }
    const refused = this.#crowd(flow, room, now)
    if (refused) return { verdict: 'refused', refusal: refused }
    this.#queue.push(flow, waitingOf(flow))
    return { verdict: 'queued', retryAfter: seconds(0.25) }
  }

  /** Who gets the next free place. */
  next(roomFor: (flow: Flow) => Room): Flow | undefined {
    return this.#queue.next((flow) => roomFor(flow) === 'free')
  }

  #isNext(flow: Flow, roomFor: (flow: Flow) => Room): boolean {
    const came = !this.#queue.has(flow)
    if (came) this.#queue.push(flow, waitingOf(flow))
    const next = this.next(roomFor) === flow
    if (came && !next) this.#queue.remove(flow) // it is asked below whether it may wait at all
    return next
  }

  /** Whether it may have used what it has, and so many tokens more: more is taken from the allowances while tokens flow. */
  extend(flow: Flow, more: Tokens, now: Seconds): boolean {
    if (!flow.holds || flow.holds.length === 0) return true
    const used = usedSoFar(flow, more)
    for (const hold of flow.holds) {
      const lacking = amountOf(hold.unit, used, flow) - hold.amount
      if (lacking <= 0n) continue
      const some = hold.amount / 4n // fewer takings than chunks
      if (some > lacking && this.purses.extend(hold, some, now)) continue
      if (this.purses.extend(hold, lacking, now)) continue
      flow.payable = more > 0 ? usedSoFar(flow, tokens(0)) : missingUsage
      return false
    }
    return true
  }

  /** Gives back what was held and not used. What an allowance has no room for is not billed. */
  settle(flow: Flow, outcome: Outcome | undefined, now: Seconds): void {
    this.#queue.remove(flow)
    this.#leasing.delete(flow)
    if (!flow.holds) return
    const billed = outcome !== undefined && isBilled(outcome) ? this.#bill(flow, now) : missingUsage
    for (const hold of flow.holds) this.purses.settle(hold, outcome ? amountOf(hold.unit, billed, flow) : 0n, now)
    const last = flow.attempts.at(-1)
    const answered = flow.ask.maxOutput !== 0 && last !== undefined && inputTokens(last.usage) > 0
    if (answered && !flow.cut) this.#lengthsOf(flow.model).learn(outputTokens(last.usage))
  }

  /** What is left of the least of a request's allowances in a unit, for the rate headers; undefined: nothing binds it. */
  left(
    allowances: readonly Allowance[],
    now: Seconds,
  ): readonly { readonly allowance: Allowance; readonly left: bigint }[] {
    return allowances.map((allowance) => ({ allowance, left: this.purses.left(allowance, now) }))
  }

  /** The part of the last attempt that can be billed; the rest is marked in it. */
  #bill(flow: Flow, now: Seconds): Usage {
    const last = flow.attempts.at(-1)
    if (!last) return missingUsage
    const billed = flow.payable ? within(last.usage, flow.payable) : this.#affordable(flow, last.usage, now)
    if (billed !== last.usage)
      flow.attempts[flow.attempts.length - 1] = { ...last, unbilled: without(last.usage, billed) }
    return billed
  }

  /** All of it when the allowances give what it came to; else as much output, and then as much input, as they do give. */
  #affordable(flow: Flow, usage: Usage, now: Seconds): Usage {
    let billed = usage
    for (const hold of flow.holds ?? []) {
      const lacking = amountOf(hold.unit, billed, flow) - hold.amount
      if (lacking <= 0n || this.purses.extend(hold, lacking, now)) continue
      billed = most(billed, (part) => amountOf(hold.unit, part, flow) <= hold.amount)
    }
    return billed
  }

  #take(flow: Flow, now: Seconds): Admission | 'taken' {
    if (flow.holds) return 'taken' // taken when it came; a turn in the queue takes nothing again
    if (flow.hit) flow.admittedAt = now // it is admitted as it takes, so that what it takes is what its row will say
    const output = this.#likelyOutput(flow)
    flow.reserved = plus(flow.ask.promptEstimate, output)
    const needs = needsOf(flow, output)
    const inDollars = needs.find(({ allowance }) => allowance.unit === 'nano-USD')
    const unpriced = inDollars && possiblePrices(flow).includes(undefined) ? inDollars : undefined
    if (unpriced) return { verdict: 'refused', refusal: noPrice(flow, unpriced.allowance) }
    const taking = this.purses.take(needs, now)
    if (taking.verdict === 'taken') {
      flow.holds = taking.holds
      return 'taken'
    }
    const waits = taking.verdict === 'short' && now - flow.askedAt < this.#bounds.leaseTime
    if (waits && this.waiting < this.#bounds.queueLength) {
      this.#leasing.add(flow)
      return { verdict: 'queued', retryAfter: seconds(0.05) }
    }
    return {
      verdict: 'refused',
      refusal: overdrawn(taking, needs.find((one) => one.allowance === taking.allowance)?.amount),
    }
  }

  #crowd(flow: Flow, room: Room, now: Seconds): Refusal | undefined {
    if (room === 'none' && now - flow.askedAt >= this.#bounds.absentTime)
      return refusal('engine_unavailable', `no engine that serves "${flow.ask.model}" answers`, {
        retry_after_ms: 1000,
      })
    const patience = Math.min(this.#bounds.queueTime, sloTerms[flow.ask.slo].patience)
    const waited = now - flow.askedAt
    if (waited >= patience) return room === 'held' ? withoutPower(flow, patience) : tooLong(patience)
    if (this.#queue.has(flow)) return undefined
    if (this.waiting >= this.#bounds.queueLength)
      return refusal('overloaded', `${this.waiting} requests wait already`, { retry_after_ms: 1000 })
    if (room === 'held') return undefined // how long power is short the queue cannot tell
    // Refused now rather than when it has waited in vain.
    const wait = this.#queue.ahead(flow.ask.slo) * this.#pace.between
    if (wait <= patience - waited) return undefined
    const retry_after_ms = Math.ceil(1000 * Math.min(60, wait - patience + 1))
    return refusal('overloaded', `the wait for a free engine would be about ${Math.ceil(wait)} s`, { retry_after_ms })
  }

  #likelyOutput(flow: Flow): Tokens {
    const likely = this.#lengthsOf(flow.ask.model).quantile(0.9, firstGuess)
    return flow.ask.maxOutput === undefined ? likely : smaller(likely, flow.ask.maxOutput)
  }

  #lengthsOf(model: ModelId): OutputLengths {
    let lengths = this.#lengths.get(model)
    if (!lengths) {
      lengths = new OutputLengths()
      this.#lengths.set(model, lengths)
    }
    return lengths
  }
}

const tooLong = (patience: number): Refusal =>
  refusal('overloaded', `waited ${patience} s for a free engine`, { retry_after_ms: 2000 })

const withoutPower = ({ ask }: Flow, patience: number): Refusal =>
  refusal('power_limited', `class ${ask.slo} waited ${patience} s, and there is still no power for it`, {
    retry_after_ms: 30_000,
  })

/** What it will take: deadline by its class, cost by its likely size. */
const waitingOf = (flow: Flow): Waiting => ({
  tenant: flow.ask.grant.tenant,
  slo: flow.ask.slo,
  deadline: plus(flow.askedAt, sloTerms[flow.ask.slo].ttft),
  cost: Math.max(1, flow.reserved),
})

/** A usage cut to another, class by class. */
const within = (usage: Usage, most: Usage): Usage => without(usage, without(usage, filledFrom(most, nothing)))
const nothing = usageFrom('counted', {
  input_uncached: 0,
  cache_read: 0,
  cache_write: 0,
  output_visible: 0,
  reasoning: 0,
})

/** The most of a usage that fits, output first to go, then input: by halves, since an amount grows with each token. */
function most(usage: Usage, fits: (part: Usage) => boolean): Usage {
  let part = usage
  for (const each of ['reasoning', 'output_visible', 'cache_write', 'input_uncached', 'cache_read'] as const) {
    const count = part[each]
    if (!count || fits(part)) continue
    let [low, high] = [0, count.tokens as number]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (fits({ ...part, [each]: { ...count, tokens: tokens(middle) } })) low = middle
      else high = middle - 1
    }
    part = { ...part, [each]: { ...count, tokens: tokens(low) } }
  }
  return part
}

const whose = ({ scope, of }: Allowance): string => (scope === 'key' ? 'the key' : `${scope} ${of}`)

const noPrice = ({ ask }: Flow, allowance: Allowance): Refusal =>
  refusal('price_unknown', `${whose(allowance)} has a budget in dollars, and the model "${ask.model}" has no price`)

const said: Readonly<Record<Allowance['unit'], string>> = {
  requests: 'requests',
  tokens: 'tokens',
  'nano-USD': 'dollars',
  mJ: 'joules',
  concurrent: 'requests at once',
}

const shown = ({ unit }: Allowance, amount: bigint): string => {
  if (unit === 'nano-USD') return formatDollars(nanoDollars(amount))
  return unit === 'mJ' ? String(Number(amount) / 1000) : amount.toString()
}

function overdrawn(taking: Exclude<Taking, { verdict: 'taken' }>, needed: bigint | undefined): Refusal {
  const { allowance, verdict } = taking
  const per = allowance.renews === 'release' ? '' : allowance.renews === 'never' ? ' in all' : ` a ${allowance.renews}`
  const limit = `${shown(allowance, allowance.amount)} ${said[allowance.unit]}${per}`
  if (verdict === 'too_large')
    return refusal(
      'request_too_large_for_limit',
      `the request may use ${shown(allowance, needed ?? 0n)} ${said[allowance.unit]}; ${whose(allowance)} is allowed ${limit}`,
    )
  // Rates go on at equal shares meanwhile, and say when there is more.
  if (verdict === 'exhausted' && taking.alone && allowance.renews !== 'minute')
    return refusal(
      'operator_unavailable',
      `${whose(allowance)} is allowed ${limit}; what was leased of them here is used up, and the operator does not answer`,
      { retry_after_ms: Math.ceil((taking.retryAfter ?? 1) * 1000) },
    )
  const wait = verdict === 'exhausted' ? taking.retryAfter : seconds(0.5)
  const why =
    verdict === 'exhausted'
      ? 'and they are used up'
      : 'and what is left of them is held by other requests or on its way here'
  return refusal(codeOf(allowance), `${whose(allowance)} is allowed ${limit}, ${why}`, {
    ...(wait === undefined ? {} : { retry_after_ms: Math.ceil(wait * 1000) }),
  })
}

function codeOf({ unit, renews }: Allowance): ErrorCode {
  if (renews === 'release') return 'concurrency_limit'
  if (renews !== 'minute') return 'budget_exhausted'
  if (unit === 'requests') return 'requests_per_minute'
  return unit === 'tokens' ? 'tokens_per_minute' : 'budget_exhausted'
}

/** All that binds a request of this key, whatever its model. */
export const bindingOf = (flow: Pick<Flow, 'ask' | 'snapshot'>): Allowance[] =>
  binding(flow.snapshot.allowances, { ...flow.ask.grant, model: flow.ask.model })
