import { costOf } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import type { Usage } from '../../books/usage.ts'
import { missingUsage } from '../../books/usage.ts'
import type { NanoDollars } from '../../units/amount.ts'
import { formatDollars } from '../../units/amount.ts'

/** What the client is told of a settled request: what its close row says, priced as the books will price it. */
export interface Receipt {
  readonly usage: Usage
  readonly cost: NanoDollars
  readonly row: CloseRow
}

export function receiptOf(row: CloseRow, prices: readonly PriceVersion[]): Receipt {
  const usage = row.cached?.usage ?? row.attempts.at(-1)?.usage ?? missingUsage // earlier attempts are waste, and nobody's bill
  const version = prices.find((one) => one.model === row.model && one.version === row.price_version)
  return { usage, row, cost: costOf(row, version) }
}

/** Stands beside the usage of a stream. Energy is measured when its meter interval closes: the receipt has it then. */
export const wattmillObject = ({ cost, row }: Receipt) => ({
  receipt: row.id,
  cost_usd: formatDollars(cost),
  price_version: row.price_version,
  ...(row.cached && { cached: true }),
  energy_mj: null,
})
