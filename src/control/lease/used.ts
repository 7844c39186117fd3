import type { Allowance } from '../../books/allowance.ts'
import { memberOf, periodOf } from '../../books/allowance.ts'
import { chargesOf, partsOf } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import { total } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import { totalTokens } from '../../books/usage.ts'

/** What a settled request used of an allowance in a period, by the books; `energy_mj`: what was attributed to it. */
export function usedOf(
  { unit, renews, scope, of }: Allowance,
  period: number,
  row: CloseRow,
  price: PriceVersion | undefined,
  energy_mj: bigint,
): bigint {
  if (periodOf(renews, row.at_ms) !== period || memberOf(scope, row) !== of) return 0n
  switch (unit) {
    case 'requests':
      return row.cached ? 0n : 1n
    case 'tokens':
      return BigInt(billedTokens(row))
    case 'nano-USD':
      return total(chargesOf(row, price))
    case 'mJ':
      return energy_mj
    case 'concurrent':
      return 0n
  }
}

function billedTokens(row: CloseRow): number {
  const last = row.attempts.at(-1)
  if (!last) return 0
  return partsOf(row, last, true).reduce((sum, { usage, cause }) => sum + (cause ? 0 : totalTokens(usage)), 0)
}
