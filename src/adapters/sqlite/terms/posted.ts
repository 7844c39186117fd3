import type { Transfer } from '../../../books/account.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import type { Adjustment } from '../../../books/terms/adjustment.ts'
import { postedLines, termsHour } from '../../../books/terms/adjustment.ts'
import { transferOf } from '../books.ts'
import type { StoredTransfer } from '../ledger.ts'
import { allBig } from '../query.ts'
import type { Store } from '../store.ts'

type Reader = Pick<Store, 'database'>

/** What a tenant's terms moved in hours of [from, to). */
export const postedTransfers = ({ database }: Reader, tenant: string, from: number, to: number): Transfer[] =>
  allBig<StoredTransfer>(
    database,
    'select * from transfer where id >= ? and id < ? order by id',
    `${termsHour(tenant, from)}/`,
    `${termsHour(tenant, to)}/`,
  ).map(transferOf)

/** Its lines, dated in [from_ms, to_ms). */
export const postedAdjustments = (store: Reader, tenant: string, from_ms: number, to_ms: number): Adjustment[] =>
  postedLines(tenant, postedTransfers(store, tenant, hourOf(from_ms), hourOf(to_ms) + 1)).filter(
    ({ at_ms }) => at_ms >= from_ms && at_ms < to_ms,
  )
