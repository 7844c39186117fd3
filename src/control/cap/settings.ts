import { heldName, type Points } from '../../lines/inference/set-points.ts'
import { apportion } from '../../units/amount.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { CapDecision, Setting } from './decision.ts'
import type { Demand, LoadedEngine } from './load.ts'
import { concurrencyOf, servesModel } from './load.ts'
import type { Plan, Settable } from './plan.ts'

/** Loads that may do less than they could, and how the engines of each share what it may do. */
export const settingsOf = (settable: readonly Settable[], { chosen }: Plan): Setting[] =>
  settable.flatMap(({ load }, at) => {
    const { requests, power } = chosen[at] ?? { requests: 0, power: null }
    if (requests >= concurrencyOf(load) && power === null) return []
    return [{ load: load.name, engines: shares(load.engines, requests), power }]
  })

/** In proportion to what each takes at once, to the request. */
function shares(engines: readonly LoadedEngine[], requests: number): Map<string, number> {
  const parts = apportion(
    BigInt(requests),
    engines.map(({ concurrency }) => BigInt(concurrency)),
  )
  return new Map(engines.map(({ name }, at) => [name, Number(parts[at] ?? 0n)]))
}

/**
 * Who loses more by waiting needs so much of the places: the others wait as a whole, so that nobody waits behind them. They wait on until
 * it is less by some: each time that they are let in at once their prompts draw more than anything else.
 */
const crowded = 0.6
const roomy = 0.4

/**
 * Demands that wait. How many of their own requests wait says nothing: those that are held pile up, and would be held for ever, beside
 * places that stand free.
 */
export const heldOf = (
  demands: readonly Demand[],
  settable: readonly Settable[],
  { chosen }: Plan,
  held: readonly Pick<Demand, 'model' | 'slo'>[],
): Pick<Demand, 'model' | 'slo'>[] =>
  demands.flatMap(({ model, slo, requests, worth }) => {
    const places = settable.reduce(
      (sum, { load }, at) => sum + (servesModel(load, model) ? (chosen[at]?.requests ?? 0) : 0),
      0,
    )
    const before = demands.reduce(
      (sum, other) => sum + (other.model === model && other.worth > worth ? other.requests : 0),
      0,
    )
    const waits = held.some((one) => one.model === model && one.slo === slo)
    return requests > 0 && before > 0 && before >= (waits ? roomy : crowded) * places ? [{ model, slo }] : []
  })

/** As gateways obey them. */
export const pointsOf = ({ settings, held }: Pick<CapDecision, 'settings' | 'held'>): Points => ({
  concurrency: new Map(
    settings.flatMap(({ engines }) => [...engines].map(([name, most]) => [id<ReplicaId>(name), most])),
  ),
  held: new Set(held.map(({ model, slo }) => heldName(id(model), slo))),
})
