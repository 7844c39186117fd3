import type { Allowance } from '../../books/allowance.ts'
import { periodOf } from '../../books/allowance.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'
import type { Hold, LeaseAsk, LeaseGrant, Recall } from './lease.ts'
import { Bucket } from './limit.ts'

/** What an allowance must give for a request to go on. */
export interface Need {
  readonly allowance: Allowance
  readonly amount: bigint
}

export type Taking =
  | { readonly verdict: 'taken'; readonly holds: Hold[] }
  /** More may come at any moment: it has been asked for. */
  | { readonly verdict: 'short'; readonly allowance: Allowance }
  /** `retryAfter` undefined: it does not renew by itself. */
  | {
      readonly verdict: 'exhausted'
      readonly allowance: Allowance
      readonly retryAfter: Seconds | undefined
      /** Only what was leased here: nobody can say just now whether there is more. */
      readonly alone: boolean
    }
  /** It could never be given, however long one waits. */
  | { readonly verdict: 'too_large'; readonly allowance: Allowance }

/** What is spent in this time is asked for ahead, so that a request seldom waits for a lease. */
const ahead_s = 1
/** The pace is that of the last seconds. */
const paceFades_s = 3
/** A keeper of allowances that died is back within a second or two. */
const aloneAgain_s = 1
/** A lease that nobody has used for so long goes back: another gateway may need it. */
const idle_s = 10

interface Purse {
  readonly allowance: Allowance
  readonly period: number
  free: bigint
  reserved: bigint
  /** What was left for all gateways when this one last asked. */
  elsewhere: bigint
  /** What requests asked for and did not get since the last answer. */
  short: bigint
  /** Units a second, fading. */
  pace: number
  touchedAt: Seconds
  exhausted: boolean
  retryAt: Seconds | undefined
  recalled: boolean
  /** In place of leases while nobody grants any: an equal share of the rate. */
  alone: Bucket | undefined
}

/**
 * The leases of one gateway: what requests may take, hold, and give back without asking anybody.
 *
 * Budgets are never overdrawn: a request that needs more than is there stops. A rate may be overdrawn by a request that
 * turns out larger than its reserve; the debt is paid before anything else passes.
 */
export class Purses {
  readonly #purses = new Map<string, Purse>()
  #gateways = 1
  /** Nobody grants leases just now. */
  #alone = false

  setGateways(count: number): void {
    this.#gateways = count
  }

  /** Whether the keeper of the allowances answers. Without it rates fall back to equal shares; budgets to what is leased. */
  setAlone(alone: boolean): void {
    this.#alone = alone
  }

  get alone(): boolean {
    return this.#alone
  }

  /** All of it or nothing. */
  take(needs: readonly Need[], now: Seconds): Taking {
    const purses = needs.map((need) => this.#purse(need.allowance, now))
    for (const [index, { allowance, amount }] of needs.entries()) {
      const purse = purses[index] as Purse
      if (amount > allowance.amount) return { verdict: 'too_large', allowance }
      if (purse.free >= amount) continue
      if (this.#borrow(purse, amount, now)) continue
      purse.short += amount
      purse.touchedAt = now
      return this.#lacking(purse, now)
    }
    return {
      verdict: 'taken',
      holds: needs.map(({ amount }, index) => this.#hold(purses[index] as Purse, amount, now)),
    }
  }

  /** More for a request under way; false: it must stop. A rate is overdrawn instead. */
  extend(hold: Hold, more: bigint, now: Seconds): boolean {
    const purse = this.#purses.get(nameOf(hold))
    if (!purse) return false
    if (purse.free < more && purse.allowance.renews !== 'minute') {
      purse.short += more
      return false
    }
    purse.free -= more
    purse.reserved += more
    purse.touchedAt = now
    hold.amount += more
    return true
  }

  /** The request is over: what it did not use is free again, what it used is spent. */
  settle(hold: Hold, used: bigint, now: Seconds): void {
    const purse = this.#purses.get(nameOf(hold))
    if (!purse) return
    purse.reserved -= hold.amount
    purse.free += hold.amount - used
    hold.amount = 0n
    this.#spend(purse, used, now)
  }

  /** What is left of an allowance as far as this gateway knows: leased here, and with its keeper when that last said. */
  left(allowance: Allowance, now: Seconds): bigint {
    const purse = this.#purse(allowance, now)
    const left = this.#alone && purse.alone ? BigInt(Math.floor(purse.alone.level(now))) : purse.free + purse.elsewhere
    return left > 0n ? left : 0n
  }

  /** What to ask for and give back now; empty: nothing. What is given back is gone from here. */
  ask(now: Seconds): LeaseAsk[] {
    const asks: LeaseAsk[] = []
    for (const [name, purse] of this.#purses) {
      const returned = this.#returns(purse, now)
      purse.free -= returned
      const { want, ahead } = this.#wants(purse, now)
      if (returned > 0n || want > 0n || ahead > 0n) asks.push(askOf(purse, returned, want, ahead))
      else if (this.#isOver(purse, now)) this.#purses.delete(name)
    }
    return asks
  }

  /** The keeper did not hear the question: what was to be returned is still here. */
  unheard(asks: readonly LeaseAsk[]): void {
    for (const { allowance, period, returned } of asks) {
      const purse = this.#purses.get(nameOf({ allowance, period }))
      if (purse) purse.free += returned
    }
  }

  granted(grants: readonly LeaseGrant[], now: Seconds): void {
    for (const { allowance, period, amount, left, exhausted, retry_ms } of grants) {
      const purse = this.#purses.get(nameOf({ allowance, period }))
      if (!purse) continue
      purse.free += amount
      purse.short = 0n
      purse.elsewhere = left
      purse.exhausted = exhausted
      purse.retryAt = retry_ms === null ? undefined : seconds(now + retry_ms / 1000)
      purse.recalled = false
    }
  }

  recall(recalls: readonly Recall[]): void {
    for (const one of recalls) {
      const purse = this.#purses.get(nameOf(one))
      if (purse) purse.recalled = true
    }
  }

  /** Something is leased here, so that it might be recalled. */
  get holdsAny(): boolean {
    for (const { free } of this.#purses.values()) if (free > 0n) return true
    return false
  }

  #lacking(purse: Purse, now: Seconds): Taking {
    const { allowance } = purse
    const none = purse.exhausted && purse.reserved === 0n
    if (this.#alone || none)
      return { verdict: 'exhausted', allowance, retryAfter: this.#retryAfter(purse, now), alone: !none }
    return { verdict: 'short', allowance }
  }

  #retryAfter(purse: Purse, now: Seconds): Seconds | undefined {
    if (purse.alone) return seconds(Math.max(0.05, purse.alone.delay(1, now)))
    if (this.#alone && !purse.exhausted) return seconds(aloneAgain_s)
    return purse.retryAt === undefined ? undefined : seconds(Math.max(0.05, purse.retryAt - now))
  }

  /** While nobody grants leases a rate goes on at an equal share, from a bucket of its own. */
  #borrow(purse: Purse, amount: bigint, now: Seconds): boolean {
    if (!this.#alone) purse.alone = undefined
    if (!this.#alone || purse.allowance.renews !== 'minute') return false
    purse.alone ??= new Bucket(Number(purse.allowance.amount) / this.#gateways, now)
    if (purse.alone.delay(Number(amount), now) > 0) return false
    purse.alone.take(Number(amount), now)
    purse.free += amount
    return true
  }

  #hold(purse: Purse, amount: bigint, now: Seconds): Hold {
    purse.free -= amount
    purse.reserved += amount
    purse.touchedAt = now
    return { allowance: purse.allowance.id, period: purse.period, unit: purse.allowance.unit, amount }
  }

  #spend(purse: Purse, used: bigint, now: Seconds): void {
    const elapsed = Math.max(0, now - purse.touchedAt)
    purse.pace = purse.pace * Math.max(0, 1 - elapsed / paceFades_s) + Number(used) / paceFades_s
    purse.touchedAt = now
    if (purse.allowance.renews === 'release') purse.free += used // a place is not used up
  }

  #returns(purse: Purse, now: Seconds): bigint {
    if (purse.free <= 0n) return 0n
    const idle = now - purse.touchedAt > idle_s
    const old = purse.period !== periodOf(purse.allowance.renews, now * 1000)
    return purse.recalled || idle || old ? purse.free : 0n
  }

  #wants(purse: Purse, now: Seconds): { want: bigint; ahead: bigint } {
    const nothing = { want: 0n, ahead: 0n }
    if (purse.period !== periodOf(purse.allowance.renews, now * 1000)) return nothing
    if (purse.retryAt !== undefined && now < purse.retryAt) return nothing
    const debt = purse.free < 0n ? -purse.free : 0n
    const want = purse.short + debt
    // A burst holds much before anything of it is spent: while requests wait, as much again as they and all under way have.
    const burst = want > 0n ? want + purse.reserved : 0n
    const spent = BigInt(Math.ceil(purse.pace * ahead_s))
    const soon = purse.recalled ? 0n : spent > burst ? spent : burst
    return { want, ahead: soon > purse.free ? soon - (purse.free > 0n ? purse.free : 0n) : 0n }
  }

  #isOver(purse: Purse, now: Seconds): boolean {
    return purse.free === 0n && purse.reserved === 0n && purse.short === 0n && now - purse.touchedAt > 2 * idle_s
  }

  #purse(allowance: Allowance, now: Seconds): Purse {
    const period = periodOf(allowance.renews, now * 1000)
    const name = nameOf({ allowance: allowance.id, period })
    let purse = this.#purses.get(name)
    if (!purse || purse.allowance.amount !== allowance.amount) {
      const kept = purse ?? { free: 0n, reserved: 0n, elsewhere: allowance.amount, short: 0n, pace: 0, touchedAt: now }
      purse = { ...kept, allowance, period, exhausted: false, retryAt: undefined, recalled: false, alone: undefined }
      this.#purses.set(name, purse)
    }
    return purse
  }
}

const nameOf = ({ allowance, period }: { readonly allowance: string; readonly period: number }): string =>
  `${allowance}@${period}`

const askOf = (purse: Purse, returned: bigint, want: bigint, ahead: bigint): LeaseAsk => ({
  allowance: purse.allowance.id,
  period: purse.period,
  free: purse.free,
  reserved: purse.reserved,
  returned,
  want,
  ahead,
})
