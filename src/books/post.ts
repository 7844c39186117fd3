import type { NanoDollars } from '../units/amount.ts'
import { nanoDollars } from '../units/amount.ts'
import { attemptId } from '../units/ids.ts'
import type { Transfer } from './account.ts'
import { accounts } from './account.ts'
import type { PriceVersion } from './price.ts'
import { freePrices, hitPrices, rate, total } from './price.ts'
import type { Attempt, CloseRow, WasteCause } from './row.ts'
import { isBilled } from './row.ts'
import type { TokenClass, Usage } from './usage.ts'
import { tokenClasses, without } from './usage.ts'

/** A part of an attempt's usage, and why it is waste; undefined: its tenant pays for it. */
export interface Part {
  readonly usage: Usage
  readonly cause: WasteCause | undefined
}

/** An attempt by who bears it: as a rule one part; two where an allowance ran out under it. */
export function partsOf(row: Pick<CloseRow, 'outcome'>, attempt: Attempt, last: boolean): Part[] {
  const cause = wasteCause(row, attempt, last)
  if (cause || !attempt.unbilled) return [{ usage: attempt.usage, cause }]
  return [
    { usage: without(attempt.usage, attempt.unbilled), cause: undefined },
    { usage: attempt.unbilled, cause: 'budget_exhausted' },
  ]
}

/** A settled request → its transfers in tokens and money. Same row and price, same transfers, for ever. */
export function post(row: CloseRow, priceVersion: PriceVersion | undefined): Transfer[] {
  const used = row.attempts.flatMap((attempt, index) =>
    partsOf(row, attempt, index === row.attempts.length - 1).flatMap((part) => [
      ...tokensOf(row, attempt, part),
      ...(part.cause ? [] : moneyOf(row, attempt, part, priceVersion)),
    ]),
  )
  return [...used, ...hitMoneyOf(row, priceVersion), ...givenBack(row, priceVersion)]
}

/** What a settled request is charged, class by class. */
export function chargesOf(row: CloseRow, priceVersion: PriceVersion | undefined): NanoDollars[] {
  const worked = row.attempts.flatMap((attempt, index) =>
    partsOf(row, attempt, index === row.attempts.length - 1)
      .filter(({ cause }) => !cause)
      .flatMap(({ usage }) => [...rate(usage, priceVersion?.perMillion ?? freePrices).values()]),
  )
  return [...worked, ...hitCharges(row, priceVersion).values()]
}

/** What an answer from the cache is charged, by the classes of the tokens that it spared; empty: it is none, or it is free. */
export function hitCharges(
  { cached, outcome }: Pick<CloseRow, 'cached' | 'outcome'>,
  priceVersion: PriceVersion | undefined,
): ReadonlyMap<TokenClass, NanoDollars> {
  if (!cached || !priceVersion?.hit_percent || !isBilled(outcome)) return new Map()
  return rate(cached.usage, hitPrices(priceVersion))
}

/**
 * What is given back of the charge, because the promise of its price was missed: half up to a whole nano-dollar. Only of a whole
 * answer that was streamed: who left did not wait, and who does not stream waits for the last token, not for the first.
 */
export function refundOf(row: CloseRow, priceVersion: PriceVersion | undefined): NanoDollars {
  const rule = priceVersion?.refund
  const kept = !rule || row.outcome !== 'complete' || !row.stream || row.ttft_ms === null || row.ttft_ms <= rule.ttft_ms
  if (kept) return nanoDollars(0n)
  return nanoDollars((total(chargesOf(row, priceVersion)) * BigInt(rule.percent) + 50n) / 100n)
}

/** What a settled request costs in the end: its charges, less what is given back. */
export const costOf = (row: CloseRow, priceVersion: PriceVersion | undefined): NanoDollars =>
  nanoDollars(total(chargesOf(row, priceVersion)) - refundOf(row, priceVersion))

/** A transfer of its own: what was charged stays charged, and what came back is seen. */
function givenBack(row: CloseRow, priceVersion: PriceVersion | undefined): Transfer[] {
  const amount = refundOf(row, priceVersion)
  if (amount === 0n) return []
  return [
    {
      id: `${row.id}/nano-USD/refund`,
      unit: 'nano-USD',
      from: accounts.refund(row.tenant, row.application),
      to: accounts.tenant(row.tenant, row.application),
      amount,
      request: row.id,
      at_ms: row.closed_ms,
    },
  ]
}

/** Why an attempt is not billed; undefined: it is. */
export function wasteCause(
  row: Pick<CloseRow, 'outcome'>,
  attempt: Attempt | undefined,
  last: boolean,
): WasteCause | undefined {
  if (attempt?.lost) return 'hedge'
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

/** No tokens move: no engine made any. */
function hitMoneyOf(row: CloseRow, priceVersion: PriceVersion | undefined): Transfer[] {
  return [...hitCharges(row, priceVersion)].flatMap(([tokenClass, amount]) => {
    if (amount === 0n) return []
    return {
      id: `${row.id}/nano-USD/hit/${tokenClass}`,
      unit: 'nano-USD',
      from: accounts.tenant(row.tenant, row.application),
      to: accounts.hitRevenue(row.model, tokenClass),
      amount,
      request: row.id,
      at_ms: row.closed_ms,
    }
  })
}
