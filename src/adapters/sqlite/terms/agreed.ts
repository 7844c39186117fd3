/** What was agreed with a tenant, as it lies in the store. */
import type { Credit, CreditKind } from '../../../books/terms/credit.ts'
import type { Terms } from '../../../books/terms/terms.ts'
import { nanoDollars } from '../../../units/amount.ts'
import { all, allBig } from '../query.ts'
import type { Store } from '../store.ts'

type Reader = Pick<Store, 'database'>

interface CreditRow {
  readonly id: string
  readonly tenant: string
  readonly kind: CreditKind
  readonly amount: bigint
  readonly granted_ms: bigint
  readonly from_hour: bigint
  readonly until_hour: bigint | null
  readonly returned: bigint
  readonly note: string
}

const creditOf = (row: CreditRow): Credit => ({
  ...row,
  amount: nanoDollars(row.amount),
  granted_ms: Number(row.granted_ms),
  from_hour: Number(row.from_hour),
  until_hour: row.until_hour === null ? null : Number(row.until_hour),
  returned: row.returned === 1n,
})

/** Of a tenant or of all, oldest first. */
export const listCredits = ({ database }: Reader, tenant?: string): Credit[] =>
  allBig<CreditRow>(
    database,
    `select * from credit ${tenant === undefined ? '' : 'where tenant = ?'} order by granted_ms, id`,
    ...(tenant === undefined ? [] : [tenant]),
  ).map(creditOf)

export const termsIn = (store: Reader, tenant: string): Terms => ({ tenant, credits: listCredits(store, tenant) })

export const tenantsWithTerms = ({ database }: Reader): string[] =>
  all<{ tenant: string }>(database, 'select tenant from terms_done order by tenant').map(({ tenant }) => tenant)
