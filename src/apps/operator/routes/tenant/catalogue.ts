/** What a tenant may ask for, and at which price. */
import { listAliases } from '../../../../adapters/sqlite/registry/aliases.ts'
import { type EngineRecord, servedModels, toldContexts } from '../../../../adapters/sqlite/registry/engines.ts'
import { listPrices } from '../../../../adapters/sqlite/registry/prices.ts'
import { type PriceVersion, priceAt } from '../../../../books/price.ts'
import { priceRange } from '../../../../books/price-range.ts'
import { type SloClass, sloClasses } from '../../../../books/slo-class.ts'
import { tokenClasses } from '../../../../books/usage.ts'
import { mainSite } from '../../../../plant/infrastructure/site.ts'
import { formatDecimal } from '../../../../units/amount.ts'
import { id, type ModelId, type SiteId } from '../../../../units/ids.ts'
import type { Factory } from '../../factory.ts'
import type { Route } from '../../router.ts'
import { isoOrNull } from '../../when.ts'
import { type Own, tenantRoute } from './own.ts'

export const catalogueRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/models',
    about: 'Models that this key may ask for, their context, and what they cost this tenant',
    run: (factory, own) => {
      const served = servedModels(factory.store)
      const prices = listPrices(factory.store)
      const told = toldContexts(factory.store)
      const may = (model: string): boolean => own.key.models === null || own.key.models.includes(model)
      const names = new Map(listAliases(factory.store).map(({ name, models }) => [name, models]))
      return {
        slo: own.key.slo,
        models: [...new Set([...served.keys(), ...names.keys()])]
          .filter(may)
          .sort()
          .map((model) => {
            const chain = [model, ...(names.get(model) ?? [])]
            const answers = chain.find((one) => served.get(one)?.some(({ draining }) => !draining))
            const by = answers ?? model
            const sites = sitesOf(served.get(by) ?? [])
            const usual = { model: id<ModelId>(by), slo: own.key.slo, tenant: own.tenant }
            return {
              model,
              /** Another name: of the models behind it, those that this key may ask for by themselves; null: it is a model's own. */
              stands_for: names.get(model)?.filter(may) ?? null,
              available: answers !== undefined,
              context_tokens: contextOf(factory, told, by),
              prices: pricesFor(prices, own, id(by), sites, factory.now()),
              /** Of the class of this key, in dollars per million tokens: a request is charged by the site that answers it. */
              range: priceRange(sites.map((site) => priceAt(prices, { ...usual, site }, factory.now()))),
            }
          }),
      }
    },
  }),
]

/** What every engine that serves it and has told holds; null: none has, as of a model of ours that is not loaded. */
function contextOf({ live }: Factory, told: ReadonlyMap<string, number>, model: string): number | null {
  const own =
    live?.engine.status()?.models.find((one) => one.model === model)?.context_length || Number.POSITIVE_INFINITY
  const least = Math.min(own, told.get(model) ?? Number.POSITIVE_INFINITY)
  return Number.isFinite(least) ? least : null
}

interface Offer {
  readonly price: PriceVersion
  readonly slo: readonly SloClass[]
  readonly site: SiteId
}

/** The prices of each class of request at each site that may answer, those that are the same together; a contract's goes before the list's. */
function pricesFor(
  versions: readonly PriceVersion[],
  { tenant }: Own,
  model: ModelId,
  sites: readonly SiteId[],
  now_ms: number,
) {
  const offers = sites.flatMap((site): Offer[] => {
    const found = sloClasses.flatMap((slo) => {
      const price = priceAt(versions, { model, slo, tenant, site }, now_ms)
      return price ? [{ slo, price }] : []
    })
    return [...Map.groupBy(found, ({ price }) => price)].map(([price, same]) => ({
      price,
      slo: same.map(({ slo }) => slo),
      site,
    }))
  })
  const alike = Map.groupBy(offers, ({ price, slo }) => `${price.version} ${slo.join(' ')}`)
  return [...alike.values()].map((same) => priceText(same as [Offer, ...Offer[]]))
}

/** Where it may be answered just now; nowhere: as at the main site. */
function sitesOf(engines: readonly EngineRecord[]): SiteId[] {
  const sites = [...new Set(engines.filter(({ draining }) => !draining).map(({ site }) => site))].sort()
  return sites.length === 0 ? [mainSite] : sites
}

/** A note is the factory's own. */
const priceText = (same: [Offer, ...Offer[]]) => {
  const [{ price, slo }] = same
  return {
    slo,
    /** Where it holds: what answers there is charged so. */
    sites: same.map(({ site }) => site),
    source: price.tenant === undefined ? 'list' : 'contract',
    version: price.version,
    from: isoOrNull(price.effective_from_ms),
    refund: price.refund ? { percent: price.refund.percent, ttft_s: price.refund.ttft_ms / 1000 } : null,
    /** What an answer from the cache costs, of what its tokens would. */
    hit_percent: price.hit_percent ?? 0,
    usd_per_million: Object.fromEntries(tokenClasses.map((of) => [of, formatDecimal(price.perMillion[of], 9)])),
  }
}
