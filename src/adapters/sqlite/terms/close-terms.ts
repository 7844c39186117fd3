/** Posts what tenants' terms move: an hour that is over, once all that was settled in it has been read; and corrections of past ones. */
import { hour_ms } from '../../../books/cost-hour.ts'
import { logLate_ms } from '../../../books/orphan.ts'
import { postAdjustments, termsHour } from '../../../books/terms/adjustment.ts'
import { monthStart } from '../../../books/terms/month.ts'
import type { SettledHour } from '../../../books/terms/terms.ts'
import { journalsReadTo } from '../ingest.ts'
import { postTransfers } from '../ledger.ts'
import { one, run } from '../query.ts'
import type { Store } from '../store.ts'
import { allowAgain, workOutAgain } from './credit-only.ts'
import type { DoneRow } from './done.ts'
import { postedTransfers } from './posted.ts'
import { sumTerms } from './sums.ts'
import { dayStart, forgetDays, forgetFrom, keep, keptUntil, settledSince } from './work-out.ts'

/** Works out one tenant's hours; true when there may be more. */
export function closeTerms(store: Store, now_ms: number): boolean {
  const closed = dueTenant(store, now_ms) !== undefined && store.transaction(() => closeDue(store, now_ms))
  return allowAgain(store, now_ms) || closed
}

/** Looked for again within the transaction: another operator may have booked what marks an hour since. */
function closeDue(store: Store, now_ms: number): boolean {
  const due = dueTenant(store, now_ms)
  if (due) closeTenant(store, due, Math.max(readTo(store, now_ms), due.next_hour))
  return due !== undefined
}

/** Hours before it are over, and all that was settled in them has been read. */
const readTo = (store: Store, now_ms: number): number =>
  Math.floor((Math.min(now_ms, journalsReadTo(store)) - logLate_ms) / hour_ms)

const dueTenant = (store: Store, now_ms: number): DoneRow | undefined =>
  one<DoneRow>(
    store.database,
    'select * from terms_done where next_hour < ? or stale_hour is not null order by tenant limit 1',
    readTo(store, now_ms),
  )

/** Hours before `to` that are not posted, and those that something was learned of, with all that follow them. */
function closeTenant(store: Store, { tenant, next_hour, stale_hour }: DoneRow, to: number): void {
  const from = Math.min(next_hour, stale_hour ?? next_hour)
  const kept = keptUntil(store, tenant, from)
  let { hour, state } = kept
  forgetFrom(store, tenant, from)
  const keepDay = (next: number): void => {
    if (dayStart(next) > hour) keep(store, tenant, { hour: dayStart(next), state })
  }
  for (const settled of settledSince(store, tenant, kept, to)) {
    keepDay(settled.hour)
    ;({ hour, state } = settled)
    if (hour >= from) postHour(store, tenant, settled)
  }
  keepDay(to)
  keep(store, tenant, { hour: to, state })
  if (monthStart(to) > from) forgetDays(store, tenant, to)
  run(store.database, 'update terms_done set next_hour = ?, stale_hour = null where tenant = ?', to, tenant)
  workOutAgain(store, tenant)
}

function postHour(
  store: Store,
  tenant: string,
  { hour, adjustments }: Pick<SettledHour, 'hour' | 'adjustments'>,
): void {
  const transfers = postAdjustments(tenant, adjustments, postedTransfers(store, tenant, hour, hour + 1))
  if (transfers.length === 0) return
  postTransfers(store, [{ source: termsHour(tenant, hour), transfers }])
  sumTerms(store, tenant, transfers)
}
