import type { Watts } from '../../units/quantity.ts'
import type { Drawn } from './curve.ts'

/** Later seconds count so much. */
const step = 0.03

/**
 * How much more loads vary together than they would if none knew of the others: the squared error of their sum over the sum of their
 * variances. Requests that waited come to all of them in the same second, and prompts draw most; so it is above 1.
 */
export class Together {
  #ratio = 1

  /** At the most as if all of them rose at once. */
  ratio(loads: number): number {
    return Math.min(Math.max(1, loads), Math.max(1, this.#ratio))
  }

  learn(drawn: Watts, expected: readonly Drawn[]): void {
    const [mean, variance] = expected.reduce(
      ([sum, squares], one) => [sum + one.mean, squares + one.deviation * one.deviation],
      [0, 0] as [number, number],
    )
    if (variance <= 0) return
    const off = Math.max(0, drawn - mean)
    this.#ratio += step * ((off * off) / variance - this.#ratio)
  }
}
