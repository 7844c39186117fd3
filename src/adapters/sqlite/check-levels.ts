/**
 * The audit of meters above others: Σ below + rest = upper, rest = booked − owed, and what is booked went to whom the rule says. Where
 * intervals below are rolled up, what was noted of them must add up; where they are there, it is worked out again from them.
 */
import { dayOf } from '../../books/account.ts'
import type { Check, Findings } from '../../books/check.ts'
import { hour_ms, hourOf } from '../../books/cost-hour.ts'
import { shareRest } from '../../books/level.ts'
import type { BelowPart, MeterPlace } from '../../plant/energy/levels.ts'
import { levelInterval, placeAt, subtree } from '../../plant/energy/levels.ts'
import type { Books } from './books.ts'
import { transferOf } from './books.ts'
import { drawnOf } from './close-levels.ts'
import { namedUnder } from './ledger.ts'
import { bearersBelow, tableOf } from './level-below.ts'
import { all, allBig, one, stream } from './query.ts'
import { meterPlaces } from './registry/places.ts'
import { type Reaching, reachingInto, type UpperRow } from './upper.ts'

export function checkLevels(books: Books, findings: Findings): Check['levels'] {
  const places = meterPlaces(books)
  const rolledDay = lastRolledDays(books)
  const hours = new Map<string, bigint>()
  for (const row of stream<UpperRow>(books.database, 'select * from upper_interval where closed_ms is not null')) {
    const name = `${row.meter}/${row.sequence}`
    const place = placeAt(places, row.meter, Number(row.to_ms))
    const found = partsOf(books, row)
    const say = (why: string): void => findings.add('upper interval', name, why)
    for (const why of contradictions(row, found)) say(why)
    addHour(hours, row, found)
    const day = dayOf(Number(row.from_ms))
    const meters = place ? subtree(places, row.meter, Number(row.to_ms)) : []
    if (place && meters.every((meter) => (rolledDay.get(meter) ?? Number.NEGATIVE_INFINITY) < day))
      again(books, findings, { row, found, place, places, name })
  }
  return sumHours(books, findings, hours, rolledDay)
}

const partsOf = ({ database }: Books, { meter, sequence }: UpperRow): BelowPart[] =>
  allBig<{ below: string; first: bigint | null; last: bigint | null; energy_mj: bigint }>(
    database,
    'select below, first, last, energy_mj from upper_part where meter = ? and sequence = ? order by below',
    meter,
    sequence,
  ).map(({ below, first, last, energy_mj }) => ({
    meter: below,
    first: first === null ? null : Number(first),
    last: last === null ? null : Number(last),
    energy_mj,
  }))

const sumOf = (parts: readonly BelowPart[]): bigint => parts.reduce((sum, { energy_mj }) => sum + energy_mj, 0n)

function contradictions(row: UpperRow, parts: readonly BelowPart[]): string[] {
  const { energy_mj, rest_mj, booked_mj, owed_mj, owed_before_mj } = row
  const wrong: string[] = []
  if (rest_mj !== null && sumOf(parts) + rest_mj !== energy_mj)
    wrong.push(`shows ${energy_mj} mJ; below ${sumOf(parts)} mJ + rest ${rest_mj} mJ is another sum`)
  if ((booked_mj ?? 0n) - (owed_mj ?? 0n) !== (rest_mj ?? 0n) - (owed_before_mj ?? 0n))
    wrong.push(`booked ${booked_mj} mJ and owes ${owed_mj} mJ of a rest of ${rest_mj} mJ`)
  return wrong
}

interface Recorded {
  readonly row: UpperRow
  readonly found: readonly BelowPart[]
  readonly place: MeterPlace
  readonly places: readonly MeterPlace[]
  readonly name: string
}

/** From the intervals that were known when it was closed: one that came later is a finding of quality, and not of the books. */
function again(books: Books, findings: Findings, { row, found, place, places, name }: Recorded): void {
  const { sequence, from_ms, to_ms } = drawnOf(row)
  const until_ms = Number(row.closed_ms)
  const within = ({ meter, first, last }: BelowPart): Reaching[] =>
    reachingInto(books, tableOf(places, meter, to_ms), meter, from_ms, to_ms).filter(
      (each) => first !== null && last !== null && each.sequence >= first && each.sequence <= last,
    )
  const should = levelInterval(
    drawnOf(row),
    new Map(found.map((part) => [part.meter, within(part)])),
    row.owed_before_mj ?? 0n,
  )
  const state = row.state ?? 'unseen'
  if (should.state !== state || should.rest_mj !== row.rest_mj || should.booked_mj !== row.booked_mj)
    findings.add(
      'upper interval',
      name,
      `its rest is ${row.rest_mj} mJ (${state}), by the meters below ${should.rest_mj} mJ`,
    )
  const booked_mj = row.booked_mj ?? 0n
  const shared = place.rule !== 'overhead' && state === 'whole' && booked_mj > 0n
  const borne = shared ? bearersBelow(books, places, found, { from_ms, to_ms, until_ms }) : []
  const is = namedUnder(books.database, name).map(transferOf)
  findings.compare(shareRest({ meter: row.meter, sequence, to_ms, state, booked_mj }, place, borne), is)
}

/** What intervals come to, hour by hour: energy, below, booked and their number. */
function addHour(hours: Map<string, bigint>, row: UpperRow, parts: readonly BelowPart[]): void {
  const hour = hourOf(Number(row.to_ms) - 1)
  const add = (what: string, amount: bigint): void => {
    const key = `${row.meter} ${hour} ${what}`
    hours.set(key, (hours.get(key) ?? 0n) + amount)
  }
  add('intervals', 1n)
  add('booked_mj', row.booked_mj ?? 0n)
  if (row.rest_mj === null) return
  add('energy_mj', row.energy_mj)
  add('below_mj', sumOf(parts))
}

interface HourRow {
  readonly meter: string
  readonly hour: bigint
  readonly intervals: bigint
  readonly energy_mj: bigint
  readonly below_mj: bigint
  readonly booked_mj: bigint
  readonly owed_mj: bigint
  readonly negative: bigint
}

function sumHours(
  books: Books,
  findings: Findings,
  hours: ReadonlyMap<string, bigint>,
  rolledDay: ReadonlyMap<string, number>,
): Check['levels'] {
  let [intervals, residual, negative, owed] = [0n, 0n, 0n, 0n]
  for (const row of stream<HourRow>(books.database, 'select * from upper_hour order by meter, hour')) {
    const of = row.energy_mj - row.below_mj - row.booked_mj + row.owed_mj
    if (of !== 0n) findings.add('upper hour', `${row.meter}/${row.hour}`, `upper − below − booked + owed = ${of} mJ`)
    const kept = dayOf(Number(row.hour) * hour_ms) > (rolledDay.get(row.meter) ?? Number.NEGATIVE_INFINITY)
    for (const what of ['intervals', 'energy_mj', 'below_mj', 'booked_mj'] as const) {
      const sum = hours.get(`${row.meter} ${row.hour} ${what}`) ?? 0n
      if (kept && sum !== row[what])
        findings.add(
          'upper hour',
          `${row.meter}/${row.hour}`,
          `${what} is ${row[what]}, its intervals add up to ${sum}`,
        )
    }
    intervals += row.intervals
    residual += of
    negative += row.negative
    owed += row.owed_mj
  }
  return {
    intervals: Number(intervals),
    residual: residual.toString(),
    negative: Number(negative),
    owed_mj: owed.toString(),
  }
}

const lastRolledDays = ({ database }: Books): Map<string, number> =>
  new Map(
    all<{ meter: string; day: number }>(
      database,
      'select meter, max(day) as day from rolled_interval group by meter',
    ).map(({ meter, day }) => [meter, day]),
  )

/** Whether an interval is what an upper meter shows beyond others: then it is `checkLevels` that looks at it. */
export const isRest = ({ database }: Books, meter: string, sequence: bigint): boolean =>
  one(database, 'select 1 from upper_interval where meter = ? and sequence = ?', meter, sequence) !== undefined
