/** Lines by site: what was answered there, and what the engines and meters there cost and drew. */
import { hour_ms } from '../../../books/cost-hour.ts'
import type { LineFacts } from '../../../books/cost-lines.ts'
import { placingOnSites, type Standing } from '../../../books/cost-place.ts'
import type { Books } from '../books.ts'
import { sitesAt } from '../registry/sites.ts'
import type { Store } from '../store.ts'
import { sumsByName } from '../sums.ts'
import { type LineTime, stretchOf } from './line-time.ts'
import { measuredEngines } from './measured-engines.ts'

export function siteLines(books: Books, time: LineTime): LineFacts {
  const standing = standingOf(books)
  const served = new Map<string, Map<string, number>>()
  for (const [site, sums] of sumsByName(books, 'site', stretchOf(time)))
    served.set(site, new Map(sums).set('energy_mj', 0))
  for (const { meter, hour, energy_mj } of time.metered) {
    const site = standing.meter(meter, hour)
    if (site === undefined) continue
    const sums = served.get(site) ?? new Map<string, number>()
    served.set(site, sums.set('energy_mj', (sums.get('energy_mj') ?? 0) + Number(energy_mj)))
  }
  return { place: placingOnSites(standing), served, earns: true, energy: 'drawn' }
}

/** Where engines and meters stood when an hour ended; a meter that measured nothing any more by then, where those stood that it did. */
export function standingOf(store: Pick<Store, 'database'>): Standing {
  const siteAt = sitesAt(store)
  const under = measuredEngines(store)
  const engine = (name: string, hour: number): string => siteAt(name, (hour + 1) * hour_ms - 1)
  return {
    engine,
    meter(name, hour) {
      const [from_ms, to_ms] = [hour * hour_ms, (hour + 1) * hour_ms]
      const last = under(name, to_ms - 1, to_ms)
      const engines = last.length > 0 ? last : under(name, from_ms, to_ms)
      const sites = new Set(engines.map((one) => engine(one, hour)))
      return sites.size === 1 ? [...sites][0] : undefined
    },
  }
}
