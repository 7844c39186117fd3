/** Hours that are closed and of which something was learned later: they are worked out again. */
import type { Transfer } from '../../../books/account.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import type { CloseRow } from '../../../books/row.ts'
import { run } from '../query.ts'
import type { Store } from '../store.ts'

/** Hours that are being worked out beside the writer, and whether something was learned of them meanwhile. */
export class HourWatch {
  readonly #hours: Set<number>
  readonly #touched = new Set<number>()

  constructor(hours: readonly number[]) {
    this.#hours = new Set(hours)
  }

  touch(from: number, to: number): void {
    for (const hour of this.#hours) if (hour >= from && hour <= to) this.#touched.add(hour)
  }

  touched(hour: number): boolean {
    return this.#touched.has(hour)
  }
}

/** Of a store's writer; there is one watch at a time, and nothing of it outlives the process that it is for. */
const watches = new WeakMap<Store['database'], HourWatch>()

/** What is learned of these hours from now on is seen, until another watch is set or this one is taken away. */
export function watchHours({ database }: Pick<Store, 'database'>, watch: HourWatch | undefined): void {
  if (watch) watches.set(database, watch)
  else watches.delete(database)
}

/** Hours from one to another, both included. */
export function markStale({ database }: Store, from: number, to: number): number {
  watches.get(database)?.touch(from, to)
  const mark = 'update closed_hour set stale = 1 where hour >= ? and hour <= ? and stale = 0 and frozen = 0'
  return run(database, mark, from, to)
}

/** One statement for a batch, in its transaction: the hours from its first work to its last are looked at again. */
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
