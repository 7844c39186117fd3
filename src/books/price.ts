import type { NanoDollars, Price } from '../units/amount.ts'
import { nanoDollars, price } from '../units/amount.ts'
import type { ModelId } from '../units/ids.ts'
import type { Tokens } from '../units/quantity.ts'
import type { TokenClass, Usage } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** What a model's tokens cost from some day on. Never changed: a new price is a new version. */
export interface PriceVersion {
  readonly version: number
  readonly model: ModelId
  readonly effective_from_ms: number
  /** Nano-dollars per million tokens, by class. */
  readonly perMillion: Readonly<Record<TokenClass, Price>>
  readonly note: string
}

/** Classes that were not priced on their own follow the class they replace. */
export function priceList(
  input: Price,
  output: Price,
  others: Partial<Record<TokenClass, Price>> = {},
): Record<TokenClass, Price> {
  return {
    input_uncached: input,
    cache_read: others.cache_read ?? input,
    cache_write: others.cache_write ?? input,
    output_visible: output,
    reasoning: others.reasoning ?? output,
  }
}

export const freePrices = priceList(price(0n), price(0n))

/** Tokens × price, rounded half up to a whole nano-dollar: per class and request, the same streamed or not. */
export const charge = (count: Tokens, perMillion: Price): NanoDollars =>
  nanoDollars((BigInt(count) * perMillion + 500_000n) / 1_000_000n)

/** The charge of a usage, class by class; a missing count is not charged. */
export function rate(usage: Usage, perMillion: Readonly<Record<TokenClass, Price>>): Map<TokenClass, NanoDollars> {
  const charges = new Map<TokenClass, NanoDollars>()
  for (const tokenClass of tokenClasses) {
    const count = usage[tokenClass]
    if (count) charges.set(tokenClass, charge(count.tokens, perMillion[tokenClass]))
  }
  return charges
}

export function total(charges: Iterable<NanoDollars>): NanoDollars {
  let sum = 0n
  for (const amount of charges) sum += amount
  return nanoDollars(sum)
}

/** The price in force at a moment: the newest version whose day has come. */
export function priceAt(versions: readonly PriceVersion[], model: ModelId, at_ms: number): PriceVersion | undefined {
  let found: PriceVersion | undefined
  for (const version of versions) {
    if (version.model !== model || version.effective_from_ms > at_ms) continue
    const later =
      !found ||
      version.effective_from_ms > found.effective_from_ms ||
      (version.effective_from_ms === found.effective_from_ms && version.version > found.version)
    if (later) found = version
  }
  return found
}
