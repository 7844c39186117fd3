/** What stands beside cost on each line of an answer: requests, tokens, joules and what was earned. */
import type { LineFacts } from '../../../books/cost-lines.ts'
import type { CostDimension, EngineDimension } from '../../../books/cost-place.ts'
import { placings } from '../../../books/cost-place.ts'
import type { Sums } from '../../../books/figures.ts'
import { parted } from '../../../books/tally.ts'
import type { Books } from '../books.ts'
import { orderedParts, summedFrom } from '../statement-sums.ts'
import { sumsByName, sumsBySlot } from '../sums.ts'
import { engineLines } from './engine-lines.ts'
import { type LineTime, renamed, stretchOf } from './line-time.ts'
import { siteLines } from './site-lines.ts'

export function lineFacts(books: Books, by: CostDimension, time: LineTime): LineFacts {
  if (by === 'replica' || by === 'chip') return engineLines(books, by, time)
  if (by === 'site') return siteLines(books, time)
  return { place: placings[by], energy: 'attributed', ...servedBy(books, by, time) }
}

type Simple = Exclude<CostDimension, EngineDimension>

function servedBy(books: Books, by: Simple, time: LineTime): Pick<LineFacts, 'served' | 'earns'> {
  const stretch = stretchOf(time)
  switch (by) {
    case 'tenant':
      return {
        served: renamed(sumsByName(books, 'application', stretch), (name) => parted(name)[0] ?? ''),
        earns: true,
      }
    case 'application':
      return {
        served: renamed(sumsByName(books, 'application', stretch), (name) => parted(name).join('/')),
        earns: true,
      }
    case 'key':
    case 'model':
      return { served: sumsByName(books, by, stretch), earns: true }
    case 'hour':
      return {
        served: renamed(sumsBySlot(books, 'factory', '', stretch), (start_s) => new Date(start_s * 1000).toISOString()),
        earns: true,
      }
    case 'class':
      return { served: byClass(books, time), earns: time.from >= summedFrom(books) }
    case 'source':
      return { served: new Map(), earns: false }
  }
}

/** What came back to tenants is of no class, and what the cache earned is of none that was made: they stand beside them. */
function byClass(books: Books, { from, to }: LineTime): Map<string, Sums> {
  const found = new Map<string, Map<string, number>>()
  for (const { cause, class: of, tokens, amount } of orderedParts(books, undefined, from, to)) {
    if (cause !== null && cause !== 'refund' && cause !== 'cache_hit') continue
    const name = cause ?? of ?? ''
    const into = found.get(name) ?? new Map<string, number>()
    found.set(name, into)
    const add = (measure: string, more: number): void => void into.set(measure, (into.get(measure) ?? 0) + more)
    if (of && cause === null) add(of, tokens)
    add('nano_usd', cause === 'refund' ? -Number(amount) : Number(amount))
  }
  return found
}
