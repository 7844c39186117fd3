import { exp, log } from '../../units/arithmetic.ts'
import type { Watts } from '../../units/quantity.ts'
import { smaller, watts } from '../../units/quantity.ts'
import { type Drawn, exactly, type PowerCurve } from './curve.ts'
import { concurrencyOf, type Load, runningAt } from './load.ts'

/** What a load may be set to, what it is expected to draw then, and how fast it is. */
export interface Option {
  /** Requests that it takes at once. */
  readonly requests: number
  /** Of its device; null: not held. */
  readonly power: Watts | null
  readonly drawn: Drawn
  /** Of its usual speed. */
  readonly speed: number
}

/** From nothing to all that it can do. */
export function optionsOf(load: Load, curve: PowerCurve): readonly Option[] {
  const all = concurrencyOf(load)
  const options: Option[] = [nothing(load, curve)]
  for (let requests = 1; requests < all; requests *= 2) options.push(free(requests, curve))
  if (all > 0) options.push(...held(load, curve, all), free(all, curve))
  return options
}

/** What is under way goes on, on a device that can be held as slowly as it can be. */
function nothing(load: Load, curve: PowerCurve): Option {
  const { limiter } = load
  const rest = { requests: 0, speed: 1, drawn: atRest(load, curve) }
  if (!limiter) return { ...rest, power: null }
  return { ...rest, power: limiter.least, ...(runningAt(load) > 0 && { drawn: exactly(limiter.least) }) }
}

/** Until it was seen at rest, what was declared of it counts. */
function atRest({ idle }: Load, curve: PowerCurve): Drawn {
  const seen = curve.at(0)
  return idle > 0 && seen.mean > idle ? exactly(idle) : seen
}

const free = (requests: number, curve: PowerCurve): Option => ({
  requests,
  power: null,
  drawn: curve.at(requests),
  speed: 1,
})

/** Steps of the power limit of a device, from the least to the most. */
const steps = 12

function* held({ limiter, idle }: Load, curve: PowerCurve, requests: number): Generator<Option> {
  if (!limiter) return
  const drawn = curve.at(requests)
  const wished = watts(drawn.mean + 3 * drawn.deviation)
  for (let step = 0; step < steps; step++) {
    const power = watts(Math.floor(limiter.least + ((limiter.most - limiter.least) * step) / steps))
    if (power >= wished) return
    yield {
      requests,
      power,
      // It never draws more, and where that binds it draws all of it.
      drawn: power <= drawn.mean ? exactly(power) : { ...drawn, most: smaller(power, drawn.most) },
      speed: speedAt(power, drawn.mean, idle),
    }
  }
}

/**
 * How fast a device is that may draw less than it would: x^0.4 of what is left above rest. Clocks go with the cube root of their
 * power; sweeps of power limits (Zeus; You, Chung, Chowdhury, NSDI 2023) lost somewhat more: 0.91 of the speed at 0.8, 0.84 at
 * 0.7, 0.61 at 0.5 of what would have been drawn (medians over GPUs and networks).
 */
function speedAt(power: Watts, wished: Watts, idle: Watts): number {
  if (power >= wished) return 1
  const left = (power - idle) / Math.max(1, wished - idle)
  return left <= 0 ? 0.01 : exp(0.4 * log(left))
}
