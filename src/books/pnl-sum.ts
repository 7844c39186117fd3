/**
 * An hour in sums, small enough that a year of them is read in a moment: what it cost by source and kind, what each tenant and model
 * bears of it, and what was served. Each is made of the same transfers as the books.
 */
import type { Account, LedgerUnit } from './account.ts'
import type { Borne } from './cost-hour.ts'
import type { Sums } from './figures.ts'
import { tokenClasses } from './usage.ts'

export const pnlDimensions = ['factory', 'tenant', 'model', 'site'] as const
export type PnlDimension = (typeof pnlDimensions)[number]

/** One sum: of cost, if its measure is a unit of the ledger; else of what was served. */
export interface PnlSum {
  readonly dimension: PnlDimension
  /** The account that a cost of the whole factory comes from; else empty. */
  readonly source: Account | ''
  /** Of a cost a pattern of the accounts that it went into; else a tenant, a model or a site, or empty for the factory. */
  readonly name: string
  readonly measure: string
  readonly amount: bigint
}

/** What one source cost in the hour, by account. */
export interface SourceBorne {
  readonly source: Account
  readonly unit: LedgerUnit
  readonly borne: Borne
}

/** What was served, by the names of a dimension; of the factory there is one name, which is empty. */
export type Served = Readonly<Record<PnlDimension, ReadonlyMap<string, Sums>>>

/** Of all that is counted, what stands in an account of profit and loss. */
export const servedMeasures = ['requests', 'nano_usd', ...tokenClasses] as const

export function pnlSums(costs: Iterable<SourceBorne>, served: Served): PnlSum[] {
  const sums = new Map<string, PnlSum>()
  const add = (sum: PnlSum): void => {
    const name = placeOf(sum)
    sums.set(name, { ...sum, amount: (sums.get(name)?.amount ?? 0n) + sum.amount })
  }
  for (const { source, unit, borne } of costs)
    for (const [account, amount] of borne) {
      add({ dimension: 'factory', source, name: kindOf(account), measure: unit, amount })
      add({ dimension: 'tenant', source: '', name: patternOf(account), measure: unit, amount })
    }
  for (const dimension of pnlDimensions)
    for (const [name, of] of served[dimension])
      for (const measure of servedMeasures)
        add({ dimension, source: '', name, measure, amount: BigInt(of.get(measure) ?? 0) })
  return [...sums.values()].filter(({ amount }) => amount !== 0n)
}

/** Two sums of one place are one sum. */
export const placeOf = ({ dimension, source, name, measure }: PnlSum): string =>
  JSON.stringify([dimension, source, name, measure])

/** What must be added to sums so that they become others. */
export function difference(now: readonly PnlSum[], before: readonly PnlSum[]): PnlSum[] {
  const rest = new Map(now.map((sum) => [placeOf(sum), sum]))
  for (const sum of before) {
    const amount = (rest.get(placeOf(sum))?.amount ?? 0n) - sum.amount
    rest.set(placeOf(sum), { ...sum, amount })
  }
  return [...rest.values()].filter(({ amount }) => amount !== 0n)
}

const kindOf = (account: Account): string => account.split('/', 2).join('/')

/** As much of an account's path as tells tenants and models apart: of usage both, since who used a model bears its making. */
function patternOf(account: Account): string {
  const [cost = '', kind = '', first = '', second = '', third = ''] = account.split('/')
  if (kind === 'usage') return `${cost}/${kind}/${first}/*/${third}`
  return first === 'reserved-warm' ? `${cost}/${kind}/${first}/${second}` : account
}
