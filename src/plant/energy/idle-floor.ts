import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'

/** So many intervals at rest: a floor that was higher or lower long ago (no model in its memory, another clock) is forgotten. */
const remembered = 60

/**
 * What a chip draws with its model loaded and no work: the lowest mean power of the last intervals in which nothing ran,
 * learned while it runs. Until there was such an interval the floor is 0 and all energy is the work's: a guess would put a
 * tenant's joules into idle, and idle is nobody's.
 */
export class IdleFloor {
  readonly #atRest: Watts[]

  /** `before`: what it was when the meter was last read by a process that is gone. */
  constructor(before?: Watts) {
    this.#atRest = before ? [before] : []
  }

  get watts(): Watts {
    return watts(this.#atRest.length === 0 ? 0 : Math.min(...this.#atRest))
  }

  /** The mean power of an interval, and whether something ran in it. */
  learn(mean: Watts, worked: boolean): void {
    if (worked || !(mean > 0)) return
    this.#atRest.push(mean)
    if (this.#atRest.length > remembered) this.#atRest.shift()
  }
}
