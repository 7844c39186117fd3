import { economics, lastMinutes } from '../../adapters/sqlite/economics.ts'
import { figuresFor } from '../../adapters/sqlite/usage.ts'
import type { Economics } from '../../books/economics.ts'
import type { EngineReport } from '../../plant/infrastructure/telemetry.ts'
import type { Factory, Live } from './factory.ts'

/** An engine's last minutes: what it served, cost and drew, and what it says of itself. */
export interface EngineNow extends Economics {
  /** Its own word; null: it has no page of metrics, or that is stale. */
  readonly reported: (EngineReport & { readonly prefix_hit_ratio?: number }) | null
}

export interface EnginesNow {
  readonly at_ms: number
  readonly engines: readonly EngineNow[]
  readonly revenue_usd_per_h: number | null
  /** Of all engines whose cost is declared; null: of none. */
  readonly cost_usd_per_h: number | null
  readonly margin_usd_per_h: number | null
}

export function enginesNow({ store, now }: Factory, { keeper, telemetry }: Live): EnginesNow {
  const at_ms = now()
  const views = telemetry.engines
  const engines = economics(store, keeper.meters().names, at_ms).map((one): EngineNow => {
    const view = views.get(one.engine)
    if (!view || view.watch.stale) return { ...one, reported: null }
    const { hitRatio } = view.counters
    return { ...one, reported: { ...view.report, ...(hitRatio !== undefined && { prefix_hit_ratio: hitRatio }) } }
  })
  const costs = engines.flatMap(({ usd_per_h }) => usd_per_h ?? [])
  const revenue = figuresFor(store, 'factory', '', lastMinutes(at_ms)).revenue_usd_per_h.value
  const cost = costs.length > 0 ? costs.reduce((sum, each) => sum + each, 0) : null
  return {
    at_ms,
    engines,
    revenue_usd_per_h: revenue,
    cost_usd_per_h: cost,
    margin_usd_per_h: cost === null || revenue === null ? null : revenue - cost,
  }
}
