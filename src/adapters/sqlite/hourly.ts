/** Whole hours of a name, one after the other, out of the sums of `tally.ts`. */
import type { Dimension } from '../../books/tally.ts'
import { tokenClasses } from '../../books/usage.ts'
import type { Books } from './books.ts'
import { all } from './query.ts'

const hour_s = 3600

/** What is foretold and watched, in the unit that people read. */
export const hourlyMeasures = {
  usd: { measures: ['nano_usd'], per: 1e9 },
  tokens: { measures: tokenClasses, per: 1 },
  /** Attributed to whom it was used for. */
  used_kwh: { measures: ['energy_mj'], per: 3.6e9 },
  /** Drawn by meters, idle and all. */
  drawn_kwh: { measures: ['drawn/measured', 'drawn/estimated', 'drawn/simulated'], per: 3.6e9 },
} as const satisfies Record<string, { readonly measures: readonly string[]; readonly per: number }>
export type HourlyMeasure = keyof typeof hourlyMeasures

/** A model, an application (`tenant/application`, encoded), all applications of a tenant (`tenant`), or the factory. */
export interface OfWhat {
  readonly dimension: Extract<Dimension, 'factory' | 'model' | 'application' | 'meter'>
  /** Names from the first to the last, both included. */
  readonly first: string
  readonly last: string
}

/** After any name that begins so: names hold nothing above `~`. */
const end = '\u007f'
export const everything = (dimension: OfWhat['dimension']): OfWhat => ({ dimension, first: '', last: end })
export const named = (dimension: OfWhat['dimension'], name: string): OfWhat => ({ dimension, first: name, last: name })
export const ofTenant = (tenant: string): OfWhat => {
  const begin = `${encodeURIComponent(tenant)}/`
  return { dimension: 'application', first: begin, last: `${begin}${end}` }
}

/** Hours [from, to), from the first on in which there was anything. */
export function hourly(
  { database }: Pick<Books, 'database'>,
  { dimension, first: from, last: to }: OfWhat,
  measure: HourlyMeasure,
  hours: { readonly from: number; readonly to: number },
): { readonly first: number; readonly values: number[] } {
  const { measures, per } = hourlyMeasures[measure]
  const find = `
    select start_s, sum(amount) as amount from tally
    where span_s = ${hour_s} and dimension = ? and start_s >= ? and start_s < ? and name >= ? and name <= ?
      and measure in (${measures.map(() => '?').join(', ')})
    group by start_s order by start_s`
  const rows = all<{ start_s: number; amount: number }>(
    database,
    find,
    dimension,
    hours.from * hour_s,
    hours.to * hour_s,
    from,
    to,
    ...measures,
  )
  const first = rows[0] ? rows[0].start_s / hour_s : hours.to
  const values = Array.from({ length: hours.to - first }, () => 0)
  for (const { start_s, amount } of rows) values[start_s / hour_s - first] = amount / per
  return { first, values }
}

export interface NamedHour {
  readonly dimension: Dimension
  readonly name: string
  readonly hour: number
  readonly nano_usd: number
}

/** What every name of a dimension earned in some hours. */
export const earnedIn = (
  { database }: Pick<Books, 'database'>,
  dimension: Dimension,
  hours: readonly number[],
): NamedHour[] =>
  all<{ name: string; start_s: number; amount: number }>(
    database,
    `select name, start_s, amount from tally
     where span_s = ${hour_s} and dimension = ? and measure = 'nano_usd' and start_s in (${hours.map(() => '?').join(', ')})`,
    dimension,
    ...hours.map((hour) => hour * hour_s),
  ).map(({ name, start_s, amount }) => ({ dimension, name, hour: start_s / hour_s, nano_usd: amount }))
