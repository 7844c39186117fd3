import { formatDecimal } from '../units/amount.ts'
import type { PriceVersion } from './price.ts'
import { freePrices } from './price.ts'
import type { TokenClass } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** Dollars per million tokens, as decimal text, at the least and at the most. */
export type PriceRange = Readonly<Record<TokenClass, { readonly from: string; readonly to: string }>>

/** Of the prices of all sites that may answer; undefined: there it is free. Null: it is free anywhere. */
export function priceRange(prices: readonly (PriceVersion | undefined)[]): PriceRange | null {
  if (prices.every((price) => price === undefined)) return null
  const between = (of: TokenClass) => {
    const sorted = prices.map((price) => (price?.perMillion ?? freePrices)[of]).sort((a, b) => (a < b ? -1 : 1))
    return { from: text(sorted[0]), to: text(sorted.at(-1)) }
  }
  return Object.fromEntries(tokenClasses.map((of) => [of, between(of)])) as PriceRange
}

const text = (nano = 0n): string => formatDecimal(nano, 9)
