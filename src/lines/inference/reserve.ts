import type { Tokens } from '../../units/quantity.ts'
import { tokens } from '../../units/quantity.ts'

/** Buckets of output length in steps of a quarter of an octave: 1, 1.19, 1.41, … up to 2^20 tokens. */
const bucketCount = 81
const bucketOf = (count: number): number => Math.min(bucketCount - 1, Math.ceil(4 * Math.log2(Math.max(1, count))))
const upperEdge = (bucket: number): number => Math.ceil(2 ** (bucket / 4))

/**
 * The learned length of a model's answers: what to reserve instead of `max_tokens`, which freezes budgets that nothing
 * spends. Old answers fade (each new one weighs 1/0.995 of the one before), so the quantile follows the traffic.
 */
export class OutputLengths {
  readonly #weights = new Float64Array(bucketCount)
  #unit = 1
  #sum = 0

  learn(produced: Tokens): void {
    const bucket = bucketOf(produced)
    this.#weights[bucket] = (this.#weights[bucket] ?? 0) + this.#unit
    this.#sum += this.#unit
    this.#unit /= 0.995
    if (this.#unit > 1e100) this.#rescale()
  }

  /** Upper edge of the bucket in which the quantile lies; `fallback` until something was learned. */
  quantile(share: number, fallback: Tokens): Tokens {
    if (this.#sum === 0) return fallback
    let seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#weights[bucket] ?? 0
      if (seen >= share * this.#sum) return tokens(upperEdge(bucket))
    }
    return tokens(upperEdge(bucketCount - 1))
  }

  #rescale(): void {
    for (let bucket = 0; bucket < bucketCount; bucket++)
      this.#weights[bucket] = (this.#weights[bucket] ?? 0) / this.#unit
    this.#sum /= this.#unit
    this.#unit = 1
  }
}
