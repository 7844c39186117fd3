import type { ModelId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'

/** What an operator lets hedging cost, as a share of what serving costs; 0: no request is hedged. */
export interface HedgeBounds {
  readonly share: number
  /** First tokens of a model before anybody knows what is late. */
  readonly samples: number
}

/** How late a first token must be, against those of its model so far: one request in twenty. */
const quantile = 0.95
/** Sooner than this nothing is late: a second attempt takes a round trip as well. */
const soonest_s = 0.02
/** Hedges of usual cost that may be saved up: a stall of one replica is answered, an outage is not doubled. */
const saved = 10

/** When the first token of an attempt was expected, and when it is late. */
export interface Patience {
  readonly expected: Seconds
  readonly after: Seconds
}

/**
 * Whether and when a request that waits for its first token is worth a second attempt elsewhere.
 *
 * Late is what 95 % of a model's first tokens were not: q × the time expected of the replica, where q is learned as
 * the quantile of took / expected, step by step. The budget is money: each request adds a share of what it costs to serve, by
 * the terms of the routing score, and a hedge takes the whole of what its attempt is expected to cost. Nothing is there at the
 * start, so that hedges never cost more than that share of all.
 */
export class Hedging {
  readonly #share: number
  readonly #samples: number
  readonly #late = new Map<ModelId, { factor: number; samples: number }>()
  #left = 0
  /** What a request costs to serve, as a running mean. */
  #usual: number | undefined

  constructor({ share, samples }: HedgeBounds) {
    this.#share = share
    this.#samples = samples
  }

  /** A request is served at this cost, in nano-dollars. */
  served(cost: number): void {
    if (this.#share === 0) return
    this.#usual = this.#usual === undefined ? cost : this.#usual + (cost - this.#usual) * 0.02
    this.#left = Math.min(Math.max(saved * this.#usual, this.#left), this.#left + this.#share * cost)
  }

  /** Undefined: it is not hedged. */
  patience(model: ModelId, expected: Seconds): Patience | undefined {
    const known = this.#late.get(model)
    if (this.#share === 0 || !known || known.samples < this.#samples) return undefined
    return { expected, after: seconds(Math.max(soonest_s, expected * known.factor)) }
  }

  /** A first token came, or its attempt was given up after so long: that counts as late. */
  took(model: ModelId, expected: Seconds, took: Seconds): void {
    if (this.#share === 0 || expected <= 0) return
    const known = this.#late.get(model) ?? { factor: 2, samples: 0 }
    this.#late.set(model, known)
    known.samples++
    const step = Math.max(0.02, 1 / known.samples)
    known.factor *= took > expected * known.factor ? 1 + step * quantile : 1 - step * (1 - quantile)
  }

  /** Whether the budget has so much, in nano-dollars; it is taken then. */
  take(cost: number): boolean {
    if (cost > this.#left) return false
    this.#left -= cost
    return true
  }
}
