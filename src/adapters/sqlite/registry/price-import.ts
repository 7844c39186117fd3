/** A table of prices → versions: only what differs from what will be in force becomes a new one. */
import type { PriceVersion } from '../../../books/price.ts'
import { pricesAt } from '../../../books/price.ts'
import type { TablePrice } from '../../../books/price-table.ts'
import { tokenClasses } from '../../../books/usage.ts'
import type { SiteId, TenantId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import type { Store } from '../store.ts'
import { change } from './change.ts'
import { insertPrice, listPrices } from './prices.ts'

export interface PlannedPrice {
  readonly state: 'new' | 'changed' | 'unchanged'
  readonly price: Omit<PriceVersion, 'version'>
}

/** Where the prices go: whose list, from when, why. */
export interface ImportTo {
  readonly tenant?: TenantId | undefined
  /** Only for what is answered there. */
  readonly site?: SiteId | undefined
  readonly from_ms: number
  readonly note: string
}

/** What an import would do. What is promised with a price stays promised with the new one. */
export function planImport(store: Store, table: readonly TablePrice[], to: ImportTo): PlannedPrice[] {
  const key = ({ model, slo, tenant, site }: Pick<PriceVersion, 'model' | 'slo' | 'tenant' | 'site'>): string =>
    JSON.stringify([model, slo, tenant, site])
  const there = new Map(pricesAt(listPrices(store), to.from_ms).map((price) => [key(price), price]))
  return table.map(({ model, slo, perMillion }) => {
    const { tenant, site, from_ms, note } = to
    const asked = {
      model: id<PriceVersion['model']>(model),
      ...(slo && { slo }),
      ...(tenant && { tenant }),
      ...(site && { site }),
    }
    const before = there.get(key(asked))
    const same = before && tokenClasses.every((of) => before.perMillion[of] === perMillion[of])
    return {
      state: same ? 'unchanged' : before ? 'changed' : 'new',
      price: {
        ...asked,
        perMillion,
        effective_from_ms: from_ms,
        note,
        ...(before?.refund && { refund: before.refund }),
        ...(before?.hit_percent && { hit_percent: before.hit_percent }),
      },
    }
  })
}

/** All of them or none, as one change. */
export const importPrices = (store: Store, planned: readonly PlannedPrice[]): PriceVersion[] => {
  const wanted = planned.filter(({ state }) => state !== 'unchanged')
  return wanted.length === 0 ? [] : change(store, () => wanted.map(({ price }) => insertPrice(store, price)))
}
