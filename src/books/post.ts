import type { NanoDollars } from '../units/amount.ts'
import { attemptId } from '../units/ids.ts'
import type { Transfer } from './account.ts'
import { accounts } from './account.ts'
import type { PriceVersion } from './price.ts'
import { freePrices, rate } from './price.ts'
import type { Attempt, CloseRow, WasteCause } from './row.ts'
import { isBilled } from './row.ts'
import type { Usage } from './usage.ts'
import { tokenClasses, without } from './usage.ts'

/** A part of an attempt's usage, and why it is waste; undefined: its tenant pays for it. */
export interface Part {
  readonly usage: Usage
  readonly cause: WasteCause | undefined
}

/** An attempt by who bears it: as a rule one part; two where an allowance ran out under it. */
export function partsOf(row: Pick<CloseRow, 'outcome'>, attempt: Attempt, last: boolean): Part[] {
  const cause = wasteCause(row, last)
  if (cause || !attempt.unbilled) return [{ usage: attempt.usage, cause }]
  return [
    { usage: without(attempt.usage, attempt.unbilled), cause: undefined },
    { usage: attempt.unbilled, cause: 'budget_exhausted' },
  ]
}

/** A settled request → its transfers in tokens and money. Same row and price, same transfers, for ever. */
export function post(row: CloseRow, priceVersion: PriceVersion | undefined): Transfer[] {
  return row.attempts.flatMap((attempt, index) =>
    partsOf(row, attempt, index === row.attempts.length - 1).flatMap((part) => [
      ...tokensOf(row, attempt, part),
      ...(part.cause ? [] : moneyOf(row, attempt, part, priceVersion)),
    ]),
  )
}

/** What a settled request is charged, class by class. */
export function chargesOf(row: CloseRow, priceVersion: PriceVersion | undefined): NanoDollars[] {
  return row.attempts.flatMap((attempt, index) =>
    partsOf(row, attempt, index === row.attempts.length - 1)
      .filter(({ cause }) => !cause)
      .flatMap(({ usage }) => [...rate(usage, priceVersion?.perMillion ?? freePrices).values()]),
  )
}

/** Why an attempt is not billed; undefined: it is. */
export function wasteCause(row: Pick<CloseRow, 'outcome'>, last: boolean): WasteCause | undefined {
  if (!last) return 'retry'
  return isBilled(row.outcome) ? undefined : (row.outcome as WasteCause)
}

function tokensOf(row: CloseRow, attempt: Attempt, { usage, cause }: Part): Transfer[] {
  const name = attempt.unbilled && cause === 'budget_exhausted' ? '/unbilled' : ''
  return tokenClasses.flatMap((tokenClass) => {
    const count = usage[tokenClass]
    if (!count || count.tokens === 0) return []
    return {
      id: `${attemptId(row.id, attempt.number)}/token/${tokenClass}${name}`,
      unit: 'token',
      from: accounts.engine(attempt.replica),
      to: cause ? accounts.wasted(cause, tokenClass) : accounts.served(row.tenant, row.application, tokenClass),
      amount: BigInt(count.tokens),
      request: row.id,
      at_ms: row.closed_ms,
    }
  })
}

function moneyOf(row: CloseRow, attempt: Attempt, { usage }: Part, priceVersion: PriceVersion | undefined): Transfer[] {
  const charges = rate(usage, priceVersion?.perMillion ?? freePrices)
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
