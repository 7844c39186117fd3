import { heldName, type Points } from '../../lines/inference/set-points.ts'
import { apportion } from '../../units/amount.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { CapDecision, Setting } from './decision.ts'
import type { Demand, LoadedEngine } from './load.ts'
import { concurrencyOf } from './load.ts'
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

/** Of a demand half and more has no place: it waits as a whole, so that what earns more does not wait behind it. */
const heldBelow = 0.5

/** Demands that wait, where something that earns more is asked of the same model. */
export const heldOf = (demands: readonly Demand[], { served }: Plan): Pick<Demand, 'model' | 'slo'>[] =>
  demands.flatMap(({ model, slo, requests, worth }, at) => {
    const better = demands.some((other) => other.model === model && other.worth > worth && other.requests > 0)
    return better && requests > 0 && (served[at] ?? 0) < heldBelow * requests ? [{ model, slo }] : []
  })

/** As gateways obey them. */
export const pointsOf = ({ settings, held }: Pick<CapDecision, 'settings' | 'held'>): Points => ({
  concurrency: new Map(
    settings.flatMap(({ engines }) => [...engines].map(([name, most]) => [id<ReplicaId>(name), most])),
  ),
  held: new Set(held.map(({ model, slo }) => heldName(id(model), slo))),
})
