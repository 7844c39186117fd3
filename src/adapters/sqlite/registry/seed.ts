import { priceList } from '../../../books/price.ts'
import { mainSite } from '../../../plant/infrastructure/site.ts'
import { price } from '../../../units/amount.ts'
import type { SiteId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import type { Store } from '../store.ts'
import { change, counter, one, run } from './change.ts'
import { embedded } from './engines.ts'
import { insertModelFile, type ModelFile } from './models.ts'
import { checkName } from './names.ts'
import { insertPrice } from './prices.ts'
import { sitesNow, standAt } from './sites.ts'
import { ensureApplication } from './tenants.ts'

export interface Seed {
  /** Of a home that has the embedded engine; others of the same store do not say how many slots it has, or where its files lie. */
  readonly inside: boolean
  /** Gateways that share a key's limits. */
  readonly gateways: number
  /** Requests that the embedded engine works on at once. */
  readonly slots: number
  /** Where the embedded engine stands; absent: `mainSite`. */
  readonly site?: SiteId
  /** The model that comes with Wattmill, when its file is there. */
  readonly starter: ModelFile | undefined
}

/** What every factory has from its first start on. Later starts only bring settings up to date. */
export function seed(store: Store, wanted: Seed, now_ms: number): { readonly first: boolean } {
  return store.transaction(() => {
    const first = counter(store, 'snapshot') === 0
    if (first) change(store, () => plant(store, wanted, now_ms))
    else if (differs(store, wanted)) change(store, () => adjust(store, wanted, now_ms))
    return { first }
  })
}

function plant(store: Store, wanted: Seed, now_ms: number): void {
  ensureApplication(store, 'default', 'default', now_ms)
  const sql = "insert into engine (name, vendor, concurrency, created_ms) values (?, 'llama', ?, ?)"
  run(store, sql, embedded, wanted.slots, now_ms)
  adjust(store, wanted, now_ms)
  if (!wanted.starter) return
  insertModelFile(store, wanted.starter)
  insertPrice(store, {
    model: id(wanted.starter.name),
    effective_from_ms: 0,
    perMillion: priceList(price(50_000_000n), price(200_000_000n)),
    note: 'example price: change it with wattmill prices set',
  })
}

/** How many gateways and slots there are comes from the settings at each start. */
function adjust(store: Store, wanted: Seed, now_ms: number): void {
  run(
    store,
    "insert into counter (name, value) values ('gateways', ?) on conflict (name) do update set value = excluded.value",
    wanted.gateways,
  )
  if (!wanted.inside) return
  standAt(store, embedded, siteIn(wanted), now_ms)
  run(store, 'update engine set concurrency = ? where name = ?', wanted.slots, embedded)
  // The package may lie elsewhere than at the last start.
  if (wanted.starter)
    run(
      store,
      'update model_file set path = ? where name = ? and sha256 = ?',
      wanted.starter.path,
      wanted.starter.name,
      wanted.starter.sha256,
    )
}

const siteIn = ({ site = mainSite }: Seed): SiteId => id(checkName('site', 'site', site))

function differs(store: Store, wanted: Seed): boolean {
  if (counter(store, 'gateways') !== wanted.gateways) return true
  if (!wanted.inside) return false
  const slots = one<{ concurrency: number }>(
    store,
    'select concurrency from engine where name = ?',
    embedded,
  )?.concurrency
  const starter = one<{ path: string; sha256: string }>(
    store,
    'select path, sha256 from model_file where name = ?',
    'starter',
  )
  const moved = starter?.sha256 === wanted.starter?.sha256 && starter?.path !== wanted.starter?.path
  return slots !== wanted.slots || moved || sitesNow(store)(embedded) !== siteIn(wanted)
}
