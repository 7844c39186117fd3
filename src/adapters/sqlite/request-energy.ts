/** What was attributed to a request, from which intervals, and whether more may come. */
import type { EnergyShare, RequestEnergy } from '../../books/receipt.ts'
import type { CloseRow } from '../../books/row.ts'
import { above, type MeterPlace } from '../../plant/energy/levels.ts'
import type { Books } from './books.ts'
import { all, allBig, one } from './query.ts'
import { meterPlaces } from './registry/places.ts'
import { sharedGrade } from './shared-grade.ts'

type Database = Books['database']

interface ShareRow extends Pick<EnergyShare, 'grade' | 'energy_mj' | 'active_mj' | 'modelled_mj'> {
  readonly id: string
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly posted_ms: bigint | null
  readonly fit: bigint | null
  readonly rebuilt: bigint
  readonly sliced: bigint
  readonly above: bigint
}

/** By the name of a transfer, `meter/sequence/attempt`. */
const sharesOf = `
  select t.id, t.amount as energy_mj, i.from_ms, i.to_ms, ${sharedGrade} as grade, i.posted_ms, i.fit, i.modelled_mj,
    i.energy_mj - i.idle_mj as active_mj, i.slices is not null as sliced,
    exists (select 1 from engine_meter m where m.meter = i.meter) as rebuilt,
    exists (select 1 from upper_interval u where u.meter = i.meter and u.sequence = i.sequence) as above
  from transfer t
  join meter_interval i
    on i.meter = substr(t.debit, length('meter/') + 1)
    and i.sequence = cast(substr(t.id, length(i.meter) + 2) as integer)
  where t.request = ? and t.unit = 'mJ' order by t.at_ms, t.id`

export function energyOf({ database }: Books, row: CloseRow): RequestEnergy {
  if (row.cached) return { shares: [], known: true, final: true } // no engine worked for it
  const shares = allBig<ShareRow>(database, sharesOf, row.id).map(shareOf)
  const logged = spanLogged(database, row.id)
  const meters = metersOf(database, row)
  const spans = [
    ...(logged ? [{ ...logged, meters: metersInside(database) }] : []),
    ...(meters.length > 0 ? [{ first_ms: row.at_ms, last_ms: row.closed_ms, pending: false, meters }] : []),
  ]
  const places = meterPlaces({ database })
  const final =
    spans.length > 0 &&
    spans.every((span) => !span.pending && isPast(database, span) && areAbovePast(database, places, span))
  return { shares, known: spans.length > 0, final }
}

function shareOf({ id, fit, rebuilt, sliced, above, ...share }: ShareRow): EnergyShare {
  const [meter = '', sequence = ''] = id.split('/')
  return {
    ...share,
    meter,
    sequence: Number(sequence),
    from_ms: Number(share.from_ms),
    to_ms: Number(share.to_ms),
    posted_ms: share.posted_ms === null ? null : Number(share.posted_ms),
    fit: fit === null ? null : Number(fit),
    sliced: sliced === 1n,
    attribution: above === 1n ? 'level' : rebuilt === 1n ? 'window' : 'step',
  }
}

interface Span {
  readonly first_ms: number
  readonly last_ms: number
  readonly meters: readonly string[]
}

const workedIn = `
  select count(distinct a.id) as attempts, count(case when a.reconciled = 0 then 1 end) as pending,
    min(s.second) as first, max(s.second) as last
  from engine_attempt a left join engine_second s on s.attempt = a.id where a.request = ?`

/** The time in which the engine inside worked for it; undefined: it did not. */
function spanLogged(database: Database, request: string) {
  const work = one<{ attempts: number; pending: number; first: number | null; last: number | null }>(
    database,
    workedIn,
    request,
  )
  if (!work || work.attempts === 0) return undefined
  const { first, last, pending } = work
  // What began and did nothing has no second, and no interval to wait for.
  const at = (second: number | null): number => (second === null ? Number.NEGATIVE_INFINITY : second * 1000 + 500)
  return { first_ms: at(first), last_ms: at(last), pending: pending > 0 }
}

const measuredBy = `
  select distinct meter from engine_meter
  where engine = ? and from_ms <= ? and (until_ms is null or until_ms > ?) order by meter`

/** Meters elsewhere that measured its engines while they worked for it. */
const metersOf = (database: Database, row: CloseRow): string[] =>
  [...new Set(row.attempts.map(({ replica }) => replica))].flatMap((engine) =>
    all<{ meter: string }>(database, measuredBy, engine, row.closed_ms, row.at_ms).map(({ meter }) => meter),
  )

/** Meters of this machine; each name is found by the index, however many intervals it has. */
const inside = `
  with recursive name (meter) as (
    select min(meter) from meter_interval
    union all
    select (select min(i.meter) from meter_interval i where i.meter > name.meter) from name where name.meter is not null
  )
  select meter from name
  where meter is not null and not exists (select 1 from engine_meter m where m.meter = name.meter)
    and not exists (select 1 from meter_place p where p.meter = name.meter)`

const metersInside = (database: Database): string[] =>
  all<{ meter: string }>(database, inside).map(({ meter }) => meter)

/** So long after the last of the others a meter is taken to be gone: nobody waits for it. */
const gone_ms = 300_000

/** The same of the meters above them: one that has not shown its time yet, or whose rest is not booked, may still give it something. */
function areAbovePast(database: Database, places: readonly MeterPlace[], { meters, first_ms, last_ms }: Span): boolean {
  const last = 'select max(to_ms) as to_ms from upper_interval where meter = ?'
  const open =
    'select 1 from upper_interval where meter = ? and closed_ms is null and to_ms > ? and from_ms <= ? limit 1'
  const newest_ms = newestOf(database, meters)
  const over = new Set(meters.flatMap((meter) => above(places, meter, last_ms)))
  return [...over].every((meter) => {
    const end_ms = one<{ to_ms: number | null }>(database, last, meter)?.to_ms ?? 0
    return (end_ms > last_ms || end_ms <= newest_ms - gone_ms) && !one(database, open, meter, first_ms, last_ms)
  })
}

const lastEnd = 'select to_ms from meter_interval where meter = ? order by sequence desc limit 1'
const newestOf = (database: Database, meters: readonly string[]): number =>
  Math.max(...meters.map((meter) => one<{ to_ms: number }>(database, lastEnd, meter)?.to_ms ?? 0))

/** No interval over its time is open, and every meter has come past the end of it. */
function isPast(database: Database, { first_ms, last_ms, meters }: Span): boolean {
  const ends = meters.map((meter) => one<{ to_ms: number }>(database, lastEnd, meter)?.to_ms ?? 0)
  const newest_ms = Math.max(...ends)
  if (ends.some((end_ms) => end_ms <= last_ms && end_ms > newest_ms - gone_ms)) return false
  const open =
    'select 1 from meter_interval where meter = ? and posted_ms is null and to_ms > ? and from_ms <= ? limit 1'
  return meters.every((meter) => !one(database, open, meter, first_ms, last_ms))
}
