/** Hosted engines at the list price of their provider, attempt by attempt, in the hour in which the request ended. */
import { accounts } from '../../../books/account.ts'
import { causeOf } from '../../../books/bearer.ts'
import type { CostDeclaration } from '../../../books/cost.ts'
import { inForce } from '../../../books/cost.ts'
import type { SourceHour } from '../../../books/cost-hour.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import type { Bearing } from '../../../books/cost-share.ts'
import { bearing } from '../../../books/cost-share.ts'
import { rate } from '../../../books/price.ts'
import type { CloseRow } from '../../../books/row.ts'
import { joined } from '../../../books/tally.ts'
import { attemptId } from '../../../units/ids.ts'

export function hostedCosts(
  declared: readonly CostDeclaration[],
  hour: number,
  rows: readonly CloseRow[],
): SourceHour[] {
  if (!declared.some(({ kind }) => kind === 'list')) return []
  const found = new Map<string, { amount: bigint; bearings: Bearing[] }>()
  for (const row of rows) {
    if (hourOf(row.closed_ms) !== hour) continue
    for (const { number, replica, usage } of row.attempts) {
      const terms = inForce(declared, 'list', joined(replica, row.model), row.closed_ms)?.terms
      if (terms?.per !== 'token') continue
      const of = found.get(replica) ?? { amount: 0n, bearings: [] }
      found.set(replica, of)
      const cause = causeOf(row, attemptId(row.id, number))
      for (const [tokenClass, amount] of rate(usage, terms.perMillion)) {
        of.amount += amount
        of.bearings.push(bearing(cause ? accounts.wasteCost(cause) : accounts.usageCost(row, tokenClass), amount))
      }
    }
  }
  return [...found]
    .filter(([, { amount }]) => amount > 0n)
    .map(([replica, of]) => ({
      source: accounts.hosted(replica),
      hour,
      unit: 'nano-USD' as const,
      ...of,
      busy_s: 0,
      all_s: 0,
    }))
    .sort((a, b) => (a.source < b.source ? -1 : 1))
}
