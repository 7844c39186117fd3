import type { Allowance } from '../../books/allowance.ts'
import type { LeaseAsk, LeaseGrant } from '../../lines/inference/lease.ts'
import { Bucket } from '../../lines/inference/limit.ts'
import type { Incarnation } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'

/** What one gateway has of an allowance in one period. */
export interface Out {
  /** Granted less given back: what it may have spent, whether it lives or not. */
  granted: bigint
  /** As it last said: what could still come back. */
  free: bigint
  reserved: bigint
  /** What its requests still wait for. */
  short: bigint
}

/**
 * An allowance in one period, and who holds how much of it. What is granted to a gateway counts as spent until it is given
 * back, or until the gateway is dead and its journal has been read: then what its requests were billed counts instead.
 */
export class Leased {
  readonly allowance: Allowance
  readonly period: number
  readonly out = new Map<Incarnation, Out>()
  readonly #rate: Bucket | undefined

  /** `rate`: level of a rate's bucket, below its capacity when some was granted before. */
  constructor(allowance: Allowance, period: number, now: Seconds, rate = Number(allowance.amount)) {
    this.allowance = allowance
    this.period = period
    if (allowance.renews !== 'minute') return
    this.#rate = new Bucket(Number(allowance.amount), now)
    this.#rate.take(Number(allowance.amount) - rate, now)
  }

  available(now: Seconds): bigint {
    if (this.#rate) return BigInt(Math.max(0, Math.floor(this.#rate.level(now))))
    let left = this.allowance.amount
    for (const { granted } of this.out.values()) left -= granted
    return left > 0n ? left : 0n
  }

  /** What was granted and, by what gateways last said, will not come back. */
  get used(): bigint {
    let used = 0n
    for (const { granted, free } of this.out.values()) used += granted > free ? granted - free : 0n
    return used
  }

  /** Level of the rate's bucket, to be kept. */
  level(now: Seconds): number | undefined {
    return this.#rate?.level(now)
  }

  /** Somebody waits for it and there is none. */
  get isShort(): boolean {
    for (const { short } of this.out.values()) if (short > 0n) return true
    return false
  }

  answer(who: Incarnation, ask: LeaseAsk, now: Seconds): LeaseGrant {
    const mine = this.#of(who)
    this.#giveBack(mine, ask, now)
    const amount = this.#grant(ask, now)
    mine.granted += amount
    this.#rate?.take(Number(amount), now)
    mine.free = ask.free + amount
    mine.reserved = ask.reserved
    mine.short = ask.want > amount ? ask.want - amount : 0n
    const unmet = mine.short > 0n
    const exhausted = unmet && this.#mayComeBack(who) < mine.short
    const { allowance, period } = this
    const retry_ms = unmet ? this.#retry_ms(mine.short, exhausted, now) : null
    return { allowance: allowance.id, period, amount, left: this.available(now), exhausted, retry_ms }
  }

  /** A gateway is dead and its journal read to its end: all that it was granted is free but what was really used. */
  settleDead(who: Incarnation, used: bigint): void {
    this.out.set(who, { granted: used, free: 0n, reserved: 0n, short: 0n })
  }

  #of(who: Incarnation): Out {
    let out = this.out.get(who)
    if (!out) {
      out = { granted: 0n, free: 0n, reserved: 0n, short: 0n }
      this.out.set(who, out)
    }
    return out
  }

  #giveBack(mine: Out, { returned }: LeaseAsk, now: Seconds): void {
    const back = returned > mine.granted && !this.#rate ? mine.granted : returned
    mine.granted -= back
    this.#rate?.take(-Number(back), now)
  }

  /**
   * What requests wait for first, shared with those who wait elsewhere; then what will be wanted soon, but never more than
   * the others could want too: the nearer the end, the smaller the leases.
   */
  #grant({ want, ahead }: LeaseAsk, now: Seconds): bigint {
    const available = this.available(now)
    const first = want < available ? want : available
    const others = BigInt(2 * Math.max(1, this.out.size))
    const room = (available - first) / others
    return first + (ahead < room ? ahead : room)
  }

  /** What others may still give back; of a rate everything comes back. */
  #mayComeBack(who: Incarnation): bigint {
    if (this.#rate) return this.allowance.amount
    let sum = this.out.get(who)?.reserved ?? 0n
    for (const [other, { free, reserved }] of this.out) if (other !== who) sum += free + reserved
    return sum
  }

  #retry_ms(short: bigint, exhausted: boolean, now: Seconds): number | null {
    if (this.#rate)
      return Math.ceil(Math.min(60, this.#rate.delay(Math.min(Number(short), this.#rate.capacity), now)) * 1000)
    return exhausted ? untilRenewal_ms(this.allowance, now) : comesBack_ms
  }
}

/** Requests under way elsewhere give back what they do not use when they end. */
const comesBack_ms = 50
const day_ms = 86_400_000

/** Until the next UTC day; a month is asked again each day, and what never renews not at all. */
function untilRenewal_ms({ renews }: Allowance, now: Seconds): number | null {
  if (renews !== 'day' && renews !== 'month') return null
  return day_ms - ((now * 1000) % day_ms)
}
