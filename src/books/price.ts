import type { NanoDollars, Price } from '../units/amount.ts'
import { nanoDollars, price } from '../units/amount.ts'
import type { ModelId, SiteId, TenantId } from '../units/ids.ts'
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
  /** Only for requests of this tenant, as its contract says; missing: the public list. */
  readonly tenant?: TenantId
  /** Only for requests that are answered at this site; missing: at every site that has no price of its own. */
  readonly site?: SiteId
  /** What is given back when its promise was missed; missing: nothing is promised. */
  readonly refund?: RefundRule
  /** What an answer from the cache costs, of the price of the tokens that it spared; missing: nothing. */
  readonly hit_percent?: number
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

/** What tokens cost that an answer from the cache spared: a part of their price, half up to a whole nano-dollar per million. */
export function hitPrices({ perMillion, hit_percent = 0 }: PriceVersion): Record<TokenClass, Price> {
  const part = (of: TokenClass): Price => price((perMillion[of] * BigInt(hit_percent) + 50n) / 100n)
  return {
    input_uncached: part('input_uncached'),
    cache_read: part('cache_read'),
    cache_write: part('cache_write'),
    output_visible: part('output_visible'),
    reasoning: part('reasoning'),
  }
}

export function total(charges: Iterable<NanoDollars>): NanoDollars {
  let sum = 0n
  for (const amount of charges) sum += amount
  return nanoDollars(sum)
}

/**
 * What a price is looked for by: a contract's prices go before the public list, a class's before those of all classes, and a site's
 * before those of all sites. What a client chose goes before where it happened to be answered.
 */
export interface PriceOf {
  readonly model: ModelId
  readonly slo?: SloClass | undefined
  readonly tenant?: TenantId | undefined
  readonly site?: SiteId | undefined
}

/** The price in force at a moment. Of the tenant's list and then the public one: for class and site, class, site, all. */
export function priceAt(
  versions: readonly PriceVersion[],
  { model, slo, tenant, site }: PriceOf,
  at_ms: number,
): PriceVersion | undefined {
  const own = byModel(versions).get(model) ?? []
  const ofClass = (list: List): PriceVersion | undefined =>
    (site && newest(own, at_ms, { ...list, site })) ?? newest(own, at_ms, list)
  const find = (of: TenantId | undefined): PriceVersion | undefined =>
    (slo && ofClass({ slo, tenant: of })) ?? ofClass({ tenant: of })
  return (tenant && find(tenant)) ?? find(undefined)
}

/** Every price in force at a moment: of a model, the public ones first, of each list that of all sites, and of all classes, first. */
export const pricesAt = (versions: readonly PriceVersion[], at_ms: number): PriceVersion[] =>
  [...byModel(versions)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) =>
      named(own, 'tenant').flatMap((tenant) =>
        named(own, 'site').flatMap((site) =>
          [undefined, ...sloClasses].flatMap((slo) => newest(own, at_ms, { slo, tenant, site }) ?? []),
        ),
      ),
    )

/** The sites that some version of a model's price names. */
export const pricedSites = (versions: readonly PriceVersion[], model: ModelId): readonly SiteId[] =>
  named(byModel(versions).get(model) ?? [], 'site').flatMap((site) => site ?? [])

/** None first. */
const named = <Field extends 'tenant' | 'site'>(versions: readonly PriceVersion[], field: Field) => [
  undefined,
  ...[...new Set(versions.flatMap((version) => version[field] ?? []))].sort(),
]

/** Lists of thousands of models are looked into with every chunk that is let through. A list is never changed, only replaced. */
const sorted = new WeakMap<readonly PriceVersion[], ReadonlyMap<ModelId, readonly PriceVersion[]>>()

function byModel(versions: readonly PriceVersion[]): ReadonlyMap<ModelId, readonly PriceVersion[]> {
  const known = sorted.get(versions)
  if (known) return known
  const made = Map.groupBy(versions, ({ model }) => model)
  sorted.set(versions, made)
  return made
}

/** For whom and what a price is, beside its model. */
type List = Omit<PriceOf, 'model'>

/** The newest version, set for exactly this class, tenant and site, whose day has come. */
function newest(
  versions: readonly PriceVersion[],
  at_ms: number,
  { slo, tenant, site }: List,
): PriceVersion | undefined {
  let found: PriceVersion | undefined
  for (const version of versions) {
    if (version.slo !== slo || version.tenant !== tenant || version.site !== site) continue
    if (version.effective_from_ms > at_ms) continue
    const later =
      !found ||
      version.effective_from_ms > found.effective_from_ms ||
      (version.effective_from_ms === found.effective_from_ms && version.version > found.version)
    if (later) found = version
  }
  return found
}
