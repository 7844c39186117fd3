/** Hours whose requests are being rolled up: their cost stays as it is, and then as sums by day. */
import { hourOf } from '../../../books/cost-hour.ts'
import { all, run } from '../query.ts'
import type { Store } from '../store.ts'
import { forgetLearned } from './stale.ts'

/** What is rolled up may have been under way in any hour that began before. */
export function freezeHours(store: Store, until_ms: number): void {
  if (!Number.isFinite(until_ms)) return
  const last = hourOf(until_ms - 1)
  run(store.database, 'update closed_hour set frozen = 1 where hour <= ? and frozen = 0', last)
  forgetLearned(store, last)
}

const whole = `
  select distinct h.hour from closed_hour h join cost_hour c on c.hour = h.hour
  where h.frozen = 1 and c.rolled = 0 and h.hour < ? order by h.hour limit ?`

export const frozenHours = ({ database }: Store, until_ms: number, most: number): number[] =>
  Number.isFinite(until_ms)
    ? all<{ hour: number }>(database, whole, hourOf(until_ms), most).map(({ hour }) => hour)
    : []

export function markRolled({ database }: Store, hours: readonly number[]): void {
  for (const hour of hours) run(database, 'update cost_hour set rolled = 1 where hour = ?', hour)
}
