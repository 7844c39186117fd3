import { type SloClass, sloClasses } from '../../books/slo-class.ts'
import { sloTerms } from '../../lines/inference/slo.ts'

/** Later requests count so much: some dozens say what a class of a model earns. */
const step = 0.05

/**
 * What is lost when a request of a model and class waits for a second: what it would have earned in it, by the time after which
 * whoever waits leaves. So batches go first: what they earn is earned later. Learned from requests that are over; of classes that
 * have not been seen it is taken that they earn like the others of the model.
 */
export class Earnings {
  readonly #perSecond = new Map<string, number>()

  /** `amount`: what was charged for it, in nano-dollars; `seconds`: from admission to the end. */
  learn(model: string, slo: SloClass, amount: number, seconds: number): void {
    const key = classOf(model, slo)
    const rate = amount / Math.max(0.05, seconds)
    const known = this.#perSecond.get(key)
    this.#perSecond.set(key, known === undefined ? rate : known + step * (rate - known))
  }

  /** Nano-dollars per second and second of patience. */
  lostBy(model: string, slo: SloClass): number {
    return (this.#perSecond.get(classOf(model, slo)) || this.#usual(model)) / sloTerms[slo].patience
  }

  #usual(model: string): number {
    return Math.max(...sloClasses.map((slo) => this.#perSecond.get(classOf(model, slo)) ?? 0)) || 1
  }
}

const classOf = (model: string, slo: SloClass): string => `${slo} ${model}`
