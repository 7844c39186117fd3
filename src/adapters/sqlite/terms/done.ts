/** How far terms are posted, and of which hours something was learned since. */
import { hourOf } from '../../../books/cost-hour.ts'
import type { CloseRow } from '../../../books/row.ts'
import { all, run } from '../query.ts'
import type { Store } from '../store.ts'

export interface DoneRow {
  readonly tenant: string
  /** Since when there are terms. */
  readonly first_hour: number
  /** Hours before it are posted. */
  readonly next_hour: number
  readonly stale_hour: number | null
}

/** What was settled in hours that are posted already: they are worked out again, with those that follow. One question for a batch. */
export function markTerms({ database }: Store, settled: readonly CloseRow[]): void {
  if (settled.length === 0) return
  const first = hourOf(settled.reduce((least, { closed_ms }) => Math.min(least, closed_ms), Number.POSITIVE_INFINITY))
  const done = all<DoneRow>(database, 'select * from terms_done where next_hour > ?', first)
  for (const { tenant } of done) {
    const hours = settled.filter((row) => row.tenant === tenant).map(({ closed_ms }) => hourOf(closed_ms))
    if (hours.length > 0) markHour({ database }, tenant, Math.min(...hours))
  }
}

/** From this hour on something is not as it was when it was posted, if it was. Hours before there were terms have none. */
export const markHour = ({ database }: Pick<Store, 'database'>, tenant: string, hour: number): void =>
  void run(
    database,
    `update terms_done set stale_hour = case when first_hour > ? then first_hour else ? end
     where tenant = ? and next_hour > ? and (stale_hour is null or stale_hour > ?)`,
    ...[hour, hour, tenant, hour, hour],
  )

/** A tenant has terms now, from an hour on that is not over. */
export const beginTerms = ({ database }: Store, tenant: string, now_ms: number): void =>
  void run(
    database,
    'insert into terms_done (tenant, first_hour, next_hour) values (?, ?, ?) on conflict (tenant) do nothing',
    tenant,
    hourOf(now_ms),
    hourOf(now_ms),
  )
