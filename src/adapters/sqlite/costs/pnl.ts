/** Profit and loss of closed hours, and the flows of their cost, from the sums that are kept of them. */
import type { Account, LedgerUnit } from '../../../books/account.ts'
import { flowsAnswer } from '../../../books/cost-flows.ts'
import { costPartsOf, pnlAnswer } from '../../../books/pnl.ts'
import { all, stream } from '../query.ts'
import type { Store } from '../store.ts'
import { agreedBetween } from '../terms/sums.ts'
import { pnlSumsBetween } from './pnl-sums.ts'
import { standingOf } from './site-lines.ts'

type Reader = Pick<Store, 'database'>

/** Hours [from, to), all of them closed. */
export function pnl(books: Reader, from: number, to: number, step_h: 1 | 24) {
  const sums = {
    factory: [...pnlSumsBetween(books, 'factory', from, to, step_h === 1)],
    tenant: [...pnlSumsBetween(books, 'tenant', from, to)],
    model: [...pnlSumsBetween(books, 'model', from, to)],
    site: [...pnlSumsBetween(books, 'site', from, to)],
  }
  const standing = standingOf(books)
  const agreed = [...agreedBetween(books, from, to)]
  return pnlAnswer({ from, to, step_h, sums, standing, agreed, worked: workedOut(books, from, to, 'nano-USD') })
}

/** Hours [from, to), all of them closed. */
export function costFlows(books: Reader, from: number, to: number, unit: 'nano-USD' | 'ugCO2e') {
  return flowsAnswer({
    unit,
    kinds: costPartsOf([...pnlSumsBetween(books, 'factory', from, to)], unit),
    bearers: costPartsOf([...pnlSumsBetween(books, 'tenant', from, to)], unit),
    worked: workedOut(books, from, to, unit),
  })
}

const worked = 'select source, amount from cost_hour where hour >= ? and hour < ? and unit = ?'

function workedOut({ database }: Reader, from: number, to: number, unit: LedgerUnit): Map<Account, bigint> {
  const sums = new Map<Account, bigint>()
  for (const { source, amount } of stream<{ source: Account; amount: bigint }>(database, worked, from, to, unit))
    sums.set(source, (sums.get(source) ?? 0n) + amount)
  return sums
}

/** Hours that were closed before their sums were kept, and have none yet. */
export const unsummed = ({ database }: Reader, from: number, to: number): number =>
  all(database, 'select hour from closed_hour where summed = 0 and hour >= ? and hour < ?', from, to).length
