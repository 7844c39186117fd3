/** What a request is charged at: the price of the site that answers it, which nobody knows before one does. */
import type { PriceVersion } from '../../books/price.ts'
import { priceAt, pricedSites } from '../../books/price.ts'
import { siteOf } from '../../books/row.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import { mainSite } from '../../plant/infrastructure/site.ts'
import type { ModelId, SiteId } from '../../units/ids.ts'
import type { Flow } from './flow.ts'
import type { Snapshot } from './snapshot.ts'

/** The price at a site that was in force when it was admitted, or came; no site: the price of all. */
export const priceAtSite = (
  { snapshot, model, admittedAt, askedAt, ask }: Flow,
  site: SiteId | undefined,
): PriceVersion | undefined =>
  priceAt(
    snapshot.prices,
    { model, slo: ask.slo, tenant: ask.grant.tenant, site },
    Math.round((admittedAt || askedAt) * 1000),
  )

/** The price that it is billed at: of the site of its last attempt, or of the answer in the cache. */
export const billedPrice = (flow: Flow): PriceVersion | undefined => priceAtSite(flow, answeredAt(flow))

/** Every price that it may still be billed at: one once it is known who answers. */
export function possiblePrices(flow: Flow): readonly (PriceVersion | undefined)[] {
  if (flow.hit || flow.phase === 'posting') return [billedPrice(flow)]
  if (flow.answered) return [priceAtSite(flow, flow.replica?.site ?? mainSite)]
  return sitesOf(flow.snapshot, flow.model).map((site) => priceAtSite(flow, site))
}

const answeredAt = ({ attempts, hit }: Flow): SiteId | undefined => siteOf({ attempts, ...(hit && { cached: hit }) })

const known = new WeakMap<Snapshot, Map<ModelId, readonly (SiteId | undefined)[]>>()

/** Sites at which a model may be answered; undefined: at none, or none has a price of its own. Looked up once a snapshot and model. */
export function sitesOf(snapshot: Snapshot, model: ModelId): readonly (SiteId | undefined)[] {
  const models = known.get(snapshot) ?? new Map<ModelId, readonly (SiteId | undefined)[]>()
  known.set(snapshot, models)
  const sites = models.get(model) ?? standing(snapshot, model)
  models.set(model, sites)
  return sites
}

function standing({ prices, replicas }: Snapshot, model: ModelId): readonly (SiteId | undefined)[] {
  if (pricedSites(prices, model).length === 0) return [undefined]
  const able = replicas.filter((one) => serves(one, model) && !one.draining)
  return able.length === 0 ? [undefined] : [...new Set(able.map(({ site }) => site ?? mainSite))]
}
