import type { Demand } from './load.ts'
import { servesModel } from './load.ts'
import type { Plan, Settable } from './plan.ts'

/**
 * Places for each request that is there now, and some more, before a load rests; and fewer before one that rests is woken, so that none
 * goes to and fro. Twice, because requests come in bursts, and a fuller batch is a slower one.
 */
const toRest = { part: 3, more: 8 }
const toWake = { part: 2.5, more: 6 }

/** Loads (places in the list) that may rest under a plan: those that give fewest places for their watts, and are not needed. */
export function resting(
  loads: readonly Settable[],
  { chosen }: Plan,
  demands: readonly Demand[],
  rests: (load: string) => boolean,
): ReadonlySet<number> {
  const found = new Set<number>()
  const places = (at: number): number => (found.has(at) ? 0 : (chosen[at]?.requests ?? 0))
  const yields = (at: number): number => places(at) / Math.max(1, chosen[at]?.drawn.mean ?? 1)
  const order = loads
    .map((_, at) => at)
    .filter((at) => places(at) > 0)
    // Those that rest already first: who works keeps its cache.
    .sort((a, b) => Number(rests(nameAt(loads, b))) - Number(rests(nameAt(loads, a))) || yields(a) - yields(b))
  for (const at of order) {
    const { part, more } = rests(nameAt(loads, at)) ? toWake : toRest
    const models = [...new Set(loads[at]?.load.engines.flatMap((engine) => engine.models))]
    const spared = models.every((model) => {
      const asked = demands.reduce((sum, demand) => sum + (demand.model === model ? demand.requests : 0), 0)
      const left = loads.reduce(
        (sum, { load }, other) => sum + (other !== at && servesModel(load, model) ? places(other) : 0),
        0,
      )
      return left >= part * asked + more
    })
    if (spared) found.add(at)
  }
  return found
}

const nameAt = (loads: readonly Settable[], at: number): string => loads[at]?.load.name ?? ''
