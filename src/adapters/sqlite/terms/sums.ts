/** What posted lines of agreements come to by hours and days, for whom and of which model: read by profit and loss. */
import type { Transfer } from '../../../books/account.ts'
import type { Findings } from '../../../books/check.ts'
import { adjustmentOf, isAgreed } from '../../../books/terms/adjustment.ts'
import type { AgreementKind } from '../../../books/terms/agreement.ts'
import { pieces } from '../costs/pnl-sums.ts'
import { type Insert, insertMany } from '../insert-many.ts'
import { allBig, stream } from '../query.ts'
import type { Store } from '../store.ts'

type Reader = Pick<Store, 'database'>

const day_h = 24

export interface TermsSum {
  readonly span_h: number
  readonly slot: number
  readonly tenant: string
  /** Empty: of none. */
  readonly model: string
  readonly kind: AgreementKind
  readonly amount: bigint
}

const sumRows: Insert = {
  table: 'terms_sum',
  columns: { span_h: 'integer', slot: 'integer', tenant: 'text', model: 'text', kind: 'text', amount: 'integer' },
  conflict: `on conflict (span_h, slot, tenant, model, kind) do update set
    amount = terms_sum.amount + excluded.amount`,
}

/** Within the caller's transaction. */
export function sumTerms({ database }: Reader, tenant: string, transfers: readonly Transfer[]): void {
  const sums = [...summed(tenant, transfers).values()]
  if (sums.length === 0) return
  insertMany(
    database,
    sumRows,
    sums.map(({ span_h, slot, tenant: of, model, kind, amount }) => [span_h, slot, of, model, kind, amount]),
  )
}

function summed(tenant: string, transfers: readonly Transfer[]): Map<string, TermsSum> {
  const sums = new Map<string, TermsSum>()
  for (const transfer of transfers) {
    const line = adjustmentOf(tenant, transfer)
    if (!line || !isAgreed(line)) continue
    for (const span_h of [1, day_h]) {
      const sum = { span_h, slot: Math.floor(line.hour / span_h), tenant, model: line.of, kind: line.kind }
      const name = placeOf(sum)
      sums.set(name, { ...sum, amount: (sums.get(name)?.amount ?? 0n) + line.amount })
    }
  }
  return sums
}

const placeOf = ({ span_h, slot, model, kind }: Omit<TermsSum, 'amount' | 'tenant'>): string =>
  JSON.stringify([span_h, slot, model, kind])

/** What they came to in hours [from, to), by tenant, model and kind. */
export function* agreedBetween(
  { database }: Reader,
  from: number,
  to: number,
): Generator<Pick<TermsSum, 'tenant' | 'model' | 'kind' | 'amount'>> {
  const find = `
    select tenant, model, kind, sum(amount) as amount from terms_sum
    where span_h = ? and slot >= ? and slot < ? group by tenant, model, kind`
  for (const { span_h, low, high } of pieces(from, to))
    for (const row of stream<TermsSum>(database, find, span_h, low, high)) yield { ...row, amount: BigInt(row.amount) }
}

/** The sums of a tenant are what its transfers come to. */
export function checkTermsSums({ database }: Reader, findings: Findings, tenant: string, transfers: Transfer[]): void {
  const due = summed(tenant, transfers)
  for (const row of allBig<TermsSum>(database, 'select * from terms_sum where tenant = ?', tenant)) {
    const name = placeOf({ ...row, span_h: Number(row.span_h), slot: Number(row.slot) })
    if ((due.get(name)?.amount ?? 0n) !== row.amount)
      findings.add(
        'terms',
        `sum ${tenant} ${name}`,
        `${row.amount} is kept, lines come to ${due.get(name)?.amount ?? 0n}`,
      )
    due.delete(name)
  }
  const [missing] = [...due.values()].filter(({ amount }) => amount !== 0n)
  if (missing) findings.add('terms', `sum ${tenant} ${placeOf(missing)}`, `${missing.amount} is not kept`)
}
