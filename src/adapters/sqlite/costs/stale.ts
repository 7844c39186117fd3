/** Hours that are closed and of which something was learned later: they are worked out again. */
import type { Transfer } from '../../../books/account.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import type { CloseRow } from '../../../books/row.ts'
import { one, run } from '../query.ts'
import type { Store } from '../store.ts'

/** Within the transaction that books it. Hours from one to another, both included; some of them may not be closed yet. */
export function markStale({ database }: Store, from: number, to: number): void {
  run(database, 'update closed_hour set stale = 1 where hour >= ? and hour <= ? and stale = 0 and frozen = 0', from, to)
  run(database, note, from, to)
}

const note = `
  insert into learned (from_hour, to_hour, number) values (?, ?, (select coalesce(max(number), 0) + 1 from learned))
  on conflict (from_hour, to_hour) do update set number = excluded.number`

/** Where the books stand: what is learned from now on has a higher number. */
export const lastLearned = ({ database }: Pick<Store, 'database'>): number =>
  one<{ number: number | null }>(database, 'select max(number) as number from learned')?.number ?? 0

export const isLearnedAfter = ({ database }: Pick<Store, 'database'>, number: number, hour: number): boolean =>
  one(
    database,
    'select 1 from learned where number > ? and from_hour <= ? and to_hour >= ? limit 1',
    number,
    hour,
    hour,
  ) !== undefined

/** Of hours that are never worked out again. The last number stays: those after it go on from there. */
export const forgetLearned = ({ database }: Store, to: number): number =>
  run(database, 'delete from learned where to_hour <= ? and number < (select max(number) from learned)', to)

/** Once for a batch, in its transaction: the hours from its first work to its last are looked at again. */
export function markBooked(store: Store, settled: readonly CloseRow[], posted: readonly Transfer[]): void {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const touch = (at_ms: number): void => {
    first = Math.min(first, at_ms)
    last = Math.max(last, at_ms)
  }
  for (const { at_ms, closed_ms } of settled) {
    touch(at_ms)
    touch(closed_ms)
  }
  // An interval's transfers carry the moment it ended: what they move was drawn before it.
  for (const { unit, at_ms } of posted) if (unit === 'mJ') touch(at_ms - 1)
  if (first <= last) markStale(store, hourOf(first), hourOf(last))
}
