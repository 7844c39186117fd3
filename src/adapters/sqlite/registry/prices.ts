import type { PriceVersion } from '../../../books/price.ts'
import { pricesAt } from '../../../books/price.ts'
import { highestPrice } from '../../../books/price-table.ts'
import { tokenClasses } from '../../../books/usage.ts'
import type { PriceRow } from '../price-of.ts'
import { priceOfRow } from '../price-of.ts'
import type { Store } from '../store.ts'
import { all, change, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'

/** All versions ever, oldest first. */
export const listPrices = (store: Store, model?: string): PriceVersion[] =>
  all<PriceRow>(store, 'select * from price where ?1 is null or model = ?1 order by version', model ?? null).map(
    priceOfRow,
  )

/** The prices in force for each model that has one, and for each class that has its own. */
export const pricesInForce = (store: Store, now_ms: number): PriceVersion[] => pricesAt(listPrices(store), now_ms)

/** Those of the public list for all classes: what a request costs unless its class, its tenant or its site has another price. */
export const usualPrices = (store: Store, now_ms: number): PriceVersion[] =>
  pricesInForce(store, now_ms).filter(
    ({ slo, tenant, site }) => slo === undefined && tenant === undefined && site === undefined,
  )

/** Always a new version: what was charged under an older one stays as it was. */
export function setPrice(store: Store, asked: Omit<PriceVersion, 'version'>): PriceVersion {
  checkName('model', 'model', asked.model)
  if (asked.site !== undefined) checkName('site', 'site', asked.site)
  for (const of of tokenClasses)
    if (asked.perMillion[of] > highestPrice)
      throw new RegistryError('invalid', `the price of ${of} is above $1,000,000 per million tokens`, { param: of })
  return change(store, () => insertPrice(store, asked))
}

/** Within a transaction of the caller's. */
export function insertPrice(store: Store, asked: Omit<PriceVersion, 'version'>): PriceVersion {
  const version = Number(
    all<{ next: number }>(store, 'select coalesce(max(version), 0) + 1 as next from price')[0]?.next,
  )
  run(
    store,
    `insert into price (version, model, effective_from_ms, note, slo, tenant, site, refund_ttft_ms, refund_percent, hit_percent, ${tokenClasses.join(', ')}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    version,
    asked.model,
    asked.effective_from_ms,
    asked.note,
    asked.slo ?? null,
    asked.tenant ?? null,
    asked.site ?? null,
    asked.refund?.ttft_ms ?? null,
    asked.refund?.percent ?? null,
    asked.hit_percent ?? null,
    ...tokenClasses.map((of) => asked.perMillion[of]),
  )
  return { ...asked, version }
}
