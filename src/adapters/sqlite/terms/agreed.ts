/** What was agreed with a tenant, as it lies in the store. */
import type { Agreement, AgreementCounts, AgreementKind, Tier } from '../../../books/terms/agreement.ts'
import type { Credit, CreditKind } from '../../../books/terms/credit.ts'
import type { Terms } from '../../../books/terms/terms.ts'
import type { TokenClass } from '../../../books/usage.ts'
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

interface AgreementRow {
  readonly version: bigint
  readonly tenant: string | null
  readonly kind: AgreementKind
  readonly model: string | null
  readonly class: TokenClass | null
  readonly counts: AgreementCounts
  readonly amount: bigint
  readonly tiers: string
  readonly ended: bigint
  readonly from_hour: bigint
  readonly declared_ms: bigint
  readonly note: string
}

const agreementOf = (row: AgreementRow): Agreement => ({
  ...row,
  version: Number(row.version),
  tiers: (JSON.parse(row.tiers) as Record<keyof Tier, string>[]).map(({ from, off }) => ({
    from: BigInt(from),
    off: BigInt(off),
  })),
  ended: row.ended === 1n,
  from_hour: Number(row.from_hour),
  declared_ms: Number(row.declared_ms),
})

/** All versions, oldest first; for a tenant its own and those of all tenants. */
export const listAgreements = ({ database }: Reader, tenant?: string): Agreement[] =>
  allBig<AgreementRow>(
    database,
    `select * from agreement ${tenant === undefined ? '' : 'where tenant = ? or tenant is null'} order by version`,
    ...(tenant === undefined ? [] : [tenant]),
  ).map(agreementOf)

export const termsIn = (store: Reader, tenant: string): Terms => ({
  tenant,
  credits: listCredits(store, tenant),
  agreements: listAgreements(store, tenant),
})

/** Who was granted some, or is served on it alone. */
export const tenantsWithCredit = ({ database }: Reader): string[] =>
  all<{ tenant: string }>(
    database,
    'select tenant from credit union select tenant from credit_only order by tenant',
  ).map(({ tenant }) => tenant)

export const tenantsWithTerms = ({ database }: Reader): string[] =>
  all<{ tenant: string }>(database, 'select tenant from terms_done order by tenant').map(({ tenant }) => tenant)
