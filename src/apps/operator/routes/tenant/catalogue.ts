/** What a tenant may ask for, and at which price. */
import { listAliases } from '../../../../adapters/sqlite/registry/aliases.ts'
import { servedModels, toldContexts } from '../../../../adapters/sqlite/registry/engines.ts'
import { listPrices } from '../../../../adapters/sqlite/registry/prices.ts'
import { type PriceVersion, priceAt } from '../../../../books/price.ts'
import { type SloClass, sloClasses } from '../../../../books/slo-class.ts'
import { tokenClasses } from '../../../../books/usage.ts'
import { formatDecimal } from '../../../../units/amount.ts'
import { id, type ModelId } from '../../../../units/ids.ts'
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
            return {
              model,
              /** Another name: of the models behind it, those that this key may ask for by themselves; null: it is a model's own. */
              stands_for: names.get(model)?.filter(may) ?? null,
              available: answers !== undefined,
              context_tokens: contextOf(factory, told, by),
              prices: pricesFor(prices, own, id(by), factory.now()),
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

/** The price of each class of request, those that are the same together; a contract's goes before the list's. */
function pricesFor(versions: readonly PriceVersion[], { tenant }: Own, model: ModelId, now_ms: number) {
  const found = sloClasses.flatMap((slo) => {
    const price = priceAt(versions, { model, slo, tenant }, now_ms)
    return price ? [{ slo, price }] : []
  })
  return [...Map.groupBy(found, ({ price }) => price.version).values()].flatMap((same) =>
    same[0]
      ? [
          priceText(
            same[0].price,
            same.map(({ slo }) => slo),
          ),
        ]
      : [],
  )
}

/** A note is the factory's own. */
const priceText = (price: PriceVersion, slo: readonly SloClass[]) => ({
  slo,
  source: price.tenant === undefined ? 'list' : 'contract',
  version: price.version,
  from: isoOrNull(price.effective_from_ms),
  refund: price.refund ? { percent: price.refund.percent, ttft_s: price.refund.ttft_ms / 1000 } : null,
  /** What an answer from the cache costs, of what its tokens would. */
  hit_percent: price.hit_percent ?? 0,
  usd_per_million: Object.fromEntries(tokenClasses.map((of) => [of, formatDecimal(price.perMillion[of], 9)])),
})
