import { mainSite } from '../plant/infrastructure/site.ts'
import type { NanoDollars } from '../units/amount.ts'
import { nanoDollars } from '../units/amount.ts'
import type { SiteId } from '../units/ids.ts'
import { hitCharges, partsOf, refundOf } from './post.ts'
import type { PriceVersion } from './price.ts'
import { charge, hitPrices } from './price.ts'
import type { CloseRow, WasteCause } from './row.ts'
import { siteOf } from './row.ts'
import type { TokenClass } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** A count of one class of token on a statement: billed at a price, spared by the cache, or wasted by a cause. Or a refund, of no class. */
export interface StatementPart {
  readonly application: string
  readonly model: string
  readonly price_version: number | null
  /** Where it was answered, or the work was for nothing. */
  readonly site: SiteId
  /** Null: billed. */
  readonly cause: WasteCause | 'refund' | 'cache_hit' | null
  readonly class: TokenClass | null
  readonly requests: number
  readonly tokens: number
  readonly amount: NanoDollars
}

/** What a settled request puts on a statement. Zero tokens make no part: a price for what was not used says nothing. */
export function statementPartsOf(
  row: CloseRow,
  price: PriceVersion | undefined,
): { readonly parts: StatementPart[]; readonly missing: boolean } {
  const { application, model, price_version } = row
  const of = { application, model, price_version }
  const parts: StatementPart[] = []
  let missing = false
  for (const attempt of row.attempts)
    for (const { usage, cause = null } of partsOf(row, attempt, attempt === row.attempts.at(-1)))
      for (const tokenClass of tokenClasses) {
        const count = usage[tokenClass]
        if (!count && !cause) missing = true
        if (!count || count.tokens === 0) continue
        const perMillion = cause === null ? price?.perMillion[tokenClass] : undefined
        const amount = perMillion === undefined ? nanoDollars(0n) : charge(count.tokens, perMillion)
        const { tokens } = count
        parts.push({ ...of, site: attempt.site ?? mainSite, cause, class: tokenClass, requests: 1, tokens, amount })
      }
  for (const [tokenClass, amount] of hitCharges(row, price)) {
    const tokens = row.cached?.usage[tokenClass]?.tokens ?? 0
    if (tokens === 0) continue
    parts.push({
      ...of,
      site: row.cached?.site ?? mainSite,
      cause: 'cache_hit',
      class: tokenClass,
      requests: 1,
      tokens,
      amount,
    })
  }
  const amount = refundOf(row, price)
  if (amount > 0n)
    parts.push({
      ...of,
      site: siteOf(row) ?? mainSite,
      cause: 'refund',
      class: null,
      requests: 1,
      tokens: 0,
      amount,
    })
  return { parts, missing }
}

/** What its tokens were charged at: computed, or spared by the cache. */
export const priceOfPart = (
  { cause }: Pick<StatementPart, 'cause'>,
  price: PriceVersion | undefined,
): PriceVersion['perMillion'] | undefined => (price && cause === 'cache_hit' ? hitPrices(price) : price?.perMillion)
