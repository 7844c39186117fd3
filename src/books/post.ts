import { attemptId } from '../units/ids.ts'
import type { Transfer } from './account.ts'
import { accounts } from './account.ts'
import type { PriceVersion } from './price.ts'
import { freePrices, rate } from './price.ts'
import type { Attempt, CloseRow, WasteCause } from './row.ts'
import { isBilled } from './row.ts'
import { tokenClasses } from './usage.ts'

/** A settled request → its transfers in tokens and money. Same row and price, same transfers, for ever. */
export function post(row: CloseRow, priceVersion: PriceVersion | undefined): Transfer[] {
  return row.attempts.flatMap((attempt, index) => {
    const last = index === row.attempts.length - 1
    const cause = wasteCause(row, last)
    return [...tokensOf(row, attempt, cause), ...(cause ? [] : moneyOf(row, attempt, priceVersion))]
  })
}

/** Why an attempt is not billed; undefined: it is. */
export function wasteCause(row: Pick<CloseRow, 'outcome'>, last: boolean): WasteCause | undefined {
  if (!last) return 'retry'
  return isBilled(row.outcome) ? undefined : (row.outcome as WasteCause)
}

function tokensOf(row: CloseRow, attempt: Attempt, cause: WasteCause | undefined): Transfer[] {
  return tokenClasses.flatMap((tokenClass) => {
    const count = attempt.usage[tokenClass]
    if (!count || count.tokens === 0) return []
    return {
      id: `${attemptId(row.id, attempt.number)}/token/${tokenClass}`,
      unit: 'token',
      from: accounts.engine(attempt.replica),
      to: cause ? accounts.wasted(cause, tokenClass) : accounts.served(row.tenant, row.application, tokenClass),
      amount: BigInt(count.tokens),
      request: row.id,
      at_ms: row.closed_ms,
    }
  })
}

function moneyOf(row: CloseRow, attempt: Attempt, priceVersion: PriceVersion | undefined): Transfer[] {
  const charges = rate(attempt.usage, priceVersion?.perMillion ?? freePrices)
  return [...charges].flatMap(([tokenClass, amount]) => {
    if (amount === 0n) return []
    return {
      id: `${attemptId(row.id, attempt.number)}/nano-USD/${tokenClass}`,
      unit: 'nano-USD',
      from: accounts.tenant(row.tenant, row.application),
      to: accounts.revenue(row.model, tokenClass),
      amount,
      request: row.id,
      at_ms: row.closed_ms,
    }
  })
}
