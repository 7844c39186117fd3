import type { Watts } from '../../units/quantity.ts'
import { smaller, watts } from '../../units/quantity.ts'

/**
 * What a chip draws with its model loaded and no work: the lowest mean power of an interval in which nothing ran, learned
 * while it runs. Until there was such an interval the floor is 0 and all energy is the work's: a guess would put a tenant's
 * joules into idle, and idle is nobody's.
 */
export class IdleFloor {
  #lowest: Watts | undefined

  get watts(): Watts {
    return this.#lowest ?? watts(0)
  }

  /** The mean power of an interval, and whether something ran in it. */
  learn(mean: Watts, worked: boolean): void {
    if (worked || !(mean > 0)) return
    this.#lowest = this.#lowest === undefined ? mean : smaller(this.#lowest, mean)
  }
}
