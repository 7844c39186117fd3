/** Where engines stand, and stood: what an engine cost stays where it was, when it moves or is removed. */
import { mainSite } from '../../../plant/infrastructure/site.ts'
import type { SiteId } from '../../../units/ids.ts'
import { all } from '../query.ts'
import type { Store } from '../store.ts'
import { run } from './change.ts'

interface Stood {
  readonly engine: string
  readonly from_ms: number
  readonly site: SiteId
}

/** The site of an engine at a moment; `mainSite` where nobody said. */
export function sitesAt({ database }: Pick<Store, 'database'>): (engine: string, at_ms: number) => SiteId {
  const rows = all<Stood>(database, 'select engine, from_ms, site from engine_site order by engine, from_ms')
  const stood = Map.groupBy(rows, ({ engine }) => engine)
  return (engine, at_ms) => stood.get(engine)?.findLast(({ from_ms }) => from_ms <= at_ms)?.site ?? mainSite
}

/** Where each engine stands by the last word. */
export function sitesNow(store: Pick<Store, 'database'>): (engine: string) => SiteId {
  const site = sitesAt(store)
  return (engine) => site(engine, Number.MAX_SAFE_INTEGER)
}

/** Within a transaction of the caller's. */
export function standAt(store: Store, engine: string, site: SiteId, now_ms: number): void {
  if (sitesNow(store)(engine) === site) return
  run(
    store,
    `insert into engine_site (engine, from_ms, site) values (?, ?, ?)
     on conflict (engine, from_ms) do update set site = excluded.site`,
    engine,
    now_ms,
    site,
  )
}
