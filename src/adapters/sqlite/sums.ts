/** Reads the sums of `tally.ts` back: by name over a time, or slot by slot. Each query is one range of its index. */
import type { Sums } from '../../books/figures.ts'
import type { Stretch } from '../../books/range.ts'
import type { Dimension } from '../../books/tally.ts'
import type { Books } from './books.ts'
import { all } from './query.ts'

interface Row {
  readonly key: string | number
  readonly measure: string
  readonly amount: number
}

const byName = `
  select name as key, measure, total(amount) as amount from tally
  where span_s = ? and dimension = ? and start_s >= ? and start_s < ?
  group by name, measure`

/** What each name of a dimension comes to. */
export const sumsByName = ({ database }: Books, dimension: Dimension, { span, from_s, to_s }: Stretch) =>
  grouped<string>(all<Row>(database, byName, span, dimension, from_s, to_s))

const bySlot = `
  select start_s as key, measure, total(amount) as amount from tally
  where span_s = ? and dimension = ? and start_s >= ? and start_s < ? and name = ?
  group by start_s, measure`

/** By the second that a slot begins. */
export type Slots = ReadonlyMap<number, Sums>

/** What one name comes to in each slot; slots in which nothing was are left out. */
export const sumsBySlot = (
  { database }: Books,
  dimension: Dimension,
  name: string,
  { span, from_s, to_s }: Stretch,
): Slots => grouped<number>(all<Row>(database, bySlot, span, dimension, from_s, to_s, name))

const ofName = `
  select measure, total(amount) as amount from tally
  where span_s = ? and dimension = ? and start_s >= ? and start_s < ? and name = ?
  group by measure`

/** What one name comes to over all of it. */
export const sumsOf = (
  { database }: Books,
  dimension: Dimension,
  name: string,
  { span, from_s, to_s }: Stretch,
): Sums =>
  new Map(
    all<Omit<Row, 'key'>>(database, ofName, span, dimension, from_s, to_s, name).map(({ measure, amount }) => [
      measure,
      amount,
    ]),
  )

function grouped<Key extends string | number>(rows: readonly Row[]): Map<Key, Sums> {
  const found = new Map<Key, Map<string, number>>()
  for (const { key, measure, amount } of rows) {
    const sums = found.get(key as Key) ?? new Map<string, number>()
    found.set(key as Key, sums.set(measure, amount))
  }
  return found
}
