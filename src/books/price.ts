import type { NanoDollars, Price } from '../units/amount.ts'
import { nanoDollars, price } from '../units/amount.ts'
import type { ModelId } from '../units/ids.ts'
import type { Tokens } from '../units/quantity.ts'
import type { SloClass } from './slo-class.ts'
import { sloClasses } from './slo-class.ts'
import type { TokenClass, Usage } from './usage.ts'
import { tokenClasses } from './usage.ts'

/** What a model's tokens cost from some day on. Never changed: a new price is a new version. */
export interface PriceVersion {
  readonly version: number
  readonly model: ModelId
  readonly effective_from_ms: number
  /** Nano-dollars per million tokens, by class. */
  readonly perMillion: Readonly<Record<TokenClass, Price>>
  /** Only for requests of this class; missing: for every class that has no price of its own. */
  readonly slo?: SloClass
  /** What is given back when its promise was missed; missing: nothing is promised. */
  readonly refund?: RefundRule
  readonly note: string
}

/** A promise with a price: the first token of a streamed answer within a time, or a part of the charge comes back. */
export interface RefundRule {
  /** Request to first token, waiting included. */
  readonly ttft_ms: number
  /** Of what the request was charged. */
  readonly percent: number
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

/** The price in force at a moment for requests of a class: its own, if there is one, else that of all classes. */
export const priceAt = (
  versions: readonly PriceVersion[],
  model: ModelId,
  at_ms: number,
  slo?: SloClass,
): PriceVersion | undefined => (slo && newest(versions, model, at_ms, slo)) ?? newest(versions, model, at_ms, undefined)

/** Every price in force at a moment: of a model, that of all classes first. */
export const pricesAt = (versions: readonly PriceVersion[], at_ms: number): PriceVersion[] =>
  [...new Set(versions.map(({ model }) => model))]
    .sort()
    .flatMap((model) => [undefined, ...sloClasses].flatMap((slo) => newest(versions, model, at_ms, slo) ?? []))

/** The newest version, set for exactly this class, whose day has come. */
function newest(
  versions: readonly PriceVersion[],
  model: ModelId,
  at_ms: number,
  slo: SloClass | undefined,
): PriceVersion | undefined {
  let found: PriceVersion | undefined
  for (const version of versions) {
    if (version.model !== model || version.slo !== slo || version.effective_from_ms > at_ms) continue
    const later =
      !found ||
      version.effective_from_ms > found.effective_from_ms ||
      (version.effective_from_ms === found.effective_from_ms && version.version > found.version)
    if (later) found = version
  }
  return found
}
