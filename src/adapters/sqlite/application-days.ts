/** What a tenant's applications used on each UTC day, from the hours of `tally.ts`. */
import { parted } from '../../books/tally.ts'
import { tokenClasses } from '../../books/usage.ts'
import type { Books } from './books.ts'
import { stream } from './query.ts'

const measures = [...tokenClasses, 'requests', 'failed', 'nano_usd', 'energy_mj', 'metered', 'estimated'] as const
type Measure = (typeof measures)[number]

/** A measure that is not there is nought. */
export interface ApplicationDay {
  readonly application: string
  /** Days since 1970, UTC. */
  readonly day: number
  readonly sums: ReadonlyMap<Measure, bigint>
}

interface Row {
  readonly start_s: bigint
  readonly name: string
  readonly measure: Measure
  readonly amount: bigint
}

/** Of the hours in which it had requests or energy, so that the index leads to its own rows and to no others; a tally is of the hour before the end. */
const ofTenant = `
  with own (hour) as (
    select hour from statement_hour where tenant = ?1 and hour >= ?2 and hour < ?3
    union select hour from statement_energy where tenant = ?1 and hour >= ?2 and hour < ?3
    union select hour - 1 from statement_energy where tenant = ?1 and hour > ?2 and hour <= ?3)
  select t.start_s, t.name, t.measure, t.amount from own cross join tally t
  where t.span_s = 3600 and t.dimension = 'application' and t.start_s = own.hour * 3600 and t.name > ?4 and t.name < ?5
    and t.measure in (${measures.map((measure) => `'${measure}'`).join(', ')})`

/** Days in [from, to), those of each day in order of their names; `0` follows `/`, which stands in no encoded name. */
export function applicationDays({ database }: Books, tenant: string, from: number, to: number): ApplicationDay[] {
  const owner = encodeURIComponent(tenant)
  const days = new Map<string, { application: string; day: number; sums: Map<Measure, bigint> }>()
  const rows = stream<Row>(database, ofTenant, tenant, from * 24, to * 24, `${owner}/`, `${owner}0`)
  for (const { start_s, name, measure, amount } of rows) {
    const day = Math.floor(Number(start_s) / 86_400)
    const [, application = ''] = parted(name)
    const place = `${day} ${name}`
    const known = days.get(place) ?? { application, day, sums: new Map<Measure, bigint>() }
    known.sums.set(measure, (known.sums.get(measure) ?? 0n) + amount)
    days.set(place, known)
  }
  return [...days.values()].sort((a, b) => a.day - b.day || (a.application < b.application ? -1 : 1))
}
