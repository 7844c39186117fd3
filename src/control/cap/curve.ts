import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'

/** Power as it was seen: its mean over a second, and how much seconds differ. */
export interface Drawn {
  readonly mean: Watts
  readonly deviation: Watts
  /** What no second exceeds. */
  readonly most: Watts
}

export const exactly = (power: Watts): Drawn => ({ mean: power, deviation: watts(0), most: power })

/** Requests under way in steps of two: 0, 1, 2–3, 4–7, … A batch of 100 and one of 110 draw alike. */
const stepOf = (requests: number): number => 32 - Math.clz32(requests)

/** Fewer seconds say nothing yet. */
const leastSeconds = 5
/** Later seconds count so much: a curve forgets within a minute or two what a model that is gone drew. */
const step = 0.03

interface Bin {
  seconds: number
  mean: number
  variance: number
}

/**
 * What equipment draws with so many requests under way, learned from its meter.
 *
 * How prompts and answers mix is in the deviation: a single long prompt may draw as much as a full batch. Of what was never
 * seen it is said what more requests drew, and where there were none, the most that the equipment can draw.
 */
export class PowerCurve {
  readonly #bins: Bin[] = []
  #full: Watts

  constructor(full: Watts) {
    this.#full = full
  }

  /** Equipment may be changed; what was learned of it stays. */
  set full(full: Watts) {
    this.#full = full
  }

  learn(requests: number, power: Watts): void {
    const at = stepOf(requests)
    while (this.#bins.length <= at) this.#bins.push({ seconds: 0, mean: 0, variance: 0 })
    const bin = this.#bins[at] as Bin
    const weight = Math.max(step, 1 / ++bin.seconds)
    const off = power - bin.mean
    bin.mean += weight * off
    bin.variance = (1 - weight) * (bin.variance + weight * off * off)
  }

  /** At the most so many requests: what fewer of them drew is a bound too. */
  at(requests: number): Drawn {
    const most = stepOf(requests)
    let known: Bin | undefined
    for (let at = most; at < this.#bins.length && !known; at++) known = this.#known(at)
    if (!known) return exactly(this.#full)
    let [mean, variance] = [known.mean, known.variance]
    for (let at = 0; at < most; at++) {
      const below = this.#known(at)
      if (below && below.mean > mean) [mean, variance] = [below.mean, below.variance]
    }
    return { mean: watts(Math.min(mean, this.#full)), deviation: watts(Math.sqrt(variance)), most: this.#full }
  }

  #known(at: number): Bin | undefined {
    const bin = this.#bins[at]
    return bin && bin.seconds >= leastSeconds ? bin : undefined
  }
}
