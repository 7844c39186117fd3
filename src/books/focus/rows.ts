import type { Grade } from '../../plant/energy/meter.ts'
import type { NanoDollars } from '../../units/amount.ts'
import { formatDecimal, formatDollars, nanoDollars } from '../../units/amount.ts'
import { csvCell, csvNumber } from '../csv.ts'
import type { PriceVersion } from '../price.ts'
import { priceOfPart } from '../statement-part.ts'
import type { SummedPart } from '../statement-sums.ts'
import type { Adjustment, AgreedLine } from '../terms/adjustment.ts'
import { isAgreed } from '../terms/adjustment.ts'
import type { DiscountKind } from '../terms/agreement.ts'
import type { FocusRow } from './check.ts'
import { focusColumn } from './columns.ts'

/** Who sells, and how long a charge period is: what all rows of an export share. */
export interface FocusTerms {
  readonly provider: string
  readonly slot_ms: number
}

export type FocusAdjustment = Adjustment & { readonly tenant: string; readonly slot: number }

export interface FocusEnergy {
  readonly tenant: string
  readonly slot: number
  readonly application: string
  readonly grade: Grade
  readonly amount: bigint
}

/** The columns of our export, in their order. Those with `x_` are ours. */
export const focusExportColumns = [
  'BilledCost',
  'BillingAccountId',
  'BillingAccountName',
  'BillingCurrency',
  'BillingPeriodEnd',
  'BillingPeriodStart',
  'ChargeCategory',
  'ChargeClass',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodEnd',
  'ChargePeriodStart',
  'CommitmentDiscountCategory',
  'CommitmentDiscountId',
  'CommitmentDiscountName',
  'CommitmentDiscountStatus',
  'CommitmentDiscountType',
  'ConsumedQuantity',
  'ConsumedUnit',
  'ContractedCost',
  'ContractedUnitPrice',
  'EffectiveCost',
  'InvoiceIssuerName',
  'ListCost',
  'ListUnitPrice',
  'PricingCategory',
  'PricingCurrency',
  'PricingCurrencyContractedUnitPrice',
  'PricingCurrencyEffectiveCost',
  'PricingCurrencyListUnitPrice',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'RegionId',
  'RegionName',
  'ResourceId',
  'ResourceName',
  'ResourceType',
  'ServiceCategory',
  'ServiceName',
  'ServiceSubcategory',
  'SkuId',
  'SkuMeter',
  'SkuPriceId',
  'SubAccountId',
  'SubAccountName',
  'Tags',
  'x_TokenClass',
  'x_RequestCount',
  'x_SloClass',
  'x_PriceVersion',
  'x_EnergyMillijoules',
  'x_EnergyGrade',
  'x_AllocatedMethodId',
  'x_CreditId',
  'x_TermsVersion',
  'x_ExchangeRate',
  'x_ExchangeRateDate',
  'x_ExchangeVersion',
] as const
type Name = (typeof focusExportColumns)[number]

/** A price is in nano-dollars per million tokens, so a token's has fifteen places. */
const unitPlaces = 15

/**
 * What was billed of one class of token at one price, computed or spared by the cache, or what came back: a row. Undefined: waste,
 * which is on nobody's bill.
 *
 * List and contracted cost are unit prices × tokens, exactly: `list` is the public price, which a contract's own goes before. Billed
 * and effective cost are what the ledger holds, where each request's charge is rounded to a whole nano-dollar: they differ by half a
 * nano-dollar a request at most.
 */
export function focusRow(
  part: SummedPart,
  price: PriceVersion | undefined,
  terms: FocusTerms,
  list = price,
): FocusRow | undefined {
  if (part.cause === 'refund') return credit(part, price, terms)
  const hit = part.cause === 'cache_hit'
  if ((part.cause !== null && !hit) || part.class === null) return undefined
  const { model, price_version, class: tokenClass, tokens, amount, requests } = part
  const perToken = priceOfPart(part, price)?.[tokenClass] ?? 0n
  const publicly = priceOfPart(part, list)?.[tokenClass] ?? perToken
  const cost = (each: bigint): string => formatDecimal(each * BigInt(tokens), unitPlaces)
  const sku = hit ? `cache_hit/${tokenClass}` : tokenClass
  return row({
    ...shared(part, terms),
    ...region(part),
    ...costs(formatDollars(amount), cost(publicly), cost(perToken)),
    ChargeCategory: 'Usage',
    ChargeDescription: hit
      ? `${tokenClass} tokens of ${model} that answers from the cache spared`
      : `${tokenClass} tokens of ${model}`,
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: String(tokens),
    ConsumedUnit: 'Tokens',
    ContractedUnitPrice: formatDecimal(perToken, unitPlaces),
    ListUnitPrice: formatDecimal(publicly, unitPlaces),
    PricingCategory: 'Standard',
    PricingQuantity: String(tokens),
    PricingUnit: 'Tokens',
    ...resource(model),
    SkuId: `${model}/${sku}`,
    SkuMeter: sku,
    SkuPriceId: `${price_version ?? 'unpriced'}/${model}/${sku}`,
    x_TokenClass: tokenClass,
    x_RequestCount: String(requests),
    x_SloClass: price?.slo ?? null,
    x_PriceVersion: price_version === null ? null : String(price_version),
  })
}

/** A refund lowers the bill, and is of no class of token and no price. */
function credit(part: SummedPart, price: PriceVersion | undefined, terms: FocusTerms): FocusRow {
  const back = formatDollars(nanoDollars(-part.amount) as NanoDollars)
  return row({
    ...shared(part, terms),
    ...region(part),
    ...costs(back, back, back),
    ChargeCategory: 'Credit',
    ChargeDescription: `refund for a missed promise of ${part.model}`,
    ChargeFrequency: 'One-Time',
    ...resource(part.model),
    x_RequestCount: String(part.requests),
    x_SloClass: price?.slo ?? null,
    x_PriceVersion: part.price_version === null ? null : String(part.price_version),
  })
}

/**
 * What terms moved. What is bought in advance is billed when it is bought and has its effect when it is used: a draw lowers what is
 * billed, and not the effective cost; a gift lowers both. What is left of a purchase at its end had no use, and cost something all the
 * same. Undefined: a gift that is made or ends is no cost of anybody's.
 */
export function focusAdjustmentRow(adjustment: FocusAdjustment, terms: FocusTerms): FocusRow | undefined {
  if (isAgreed(adjustment)) return agreedRow(adjustment, terms)
  const { kind, of, name, application, amount } = adjustment
  const usd = formatDollars(amount)
  const back = formatDollars(nanoDollars(-amount) as NanoDollars)
  const its = { ...shared(adjustment, terms), ...(application === '' && ofNoApplication), x_CreditId: name }
  const credit = { ...its, ...costs(back, back, back), ChargeCategory: 'Credit', ChargeFrequency: 'One-Time' }
  switch (kind) {
    case 'promo':
      return row({ ...credit, ChargeDescription: `promotional credit ${name}` })
    case 'prepaid':
      return row({ ...credit, EffectiveCost: '0', ChargeDescription: `paid in advance with credit ${name}` })
    case 'granted':
      return of === 'promo' ? undefined : row({ ...its, ...purchase(name, usd) })
    case 'returned':
      return of === 'promo'
        ? undefined
        : row({ ...credit, EffectiveCost: '0', ChargeDescription: `credit ${name} given back` })
    case 'breakage':
      return row({
        ...its,
        ...costs('0', '0', '0'),
        EffectiveCost: usd,
        ChargeCategory: 'Adjustment',
        ChargeDescription: `credit ${name} expired unused`,
        ChargeFrequency: 'One-Time',
      })
    case 'expired':
      return undefined
  }
}

const takenOff: Readonly<Record<DiscountKind, string>> = {
  free: 'free quota',
  graduated: 'prices by tier',
  volume: 'price by volume',
}

/** What is taken off lowers the bill; what a month lacks of a commitment is a part of it that was not used. */
function agreedRow(line: AgreedLine & Pick<FocusAdjustment, 'tenant' | 'slot'>, terms: FocusTerms): FocusRow {
  const { kind, of: model, name, amount } = line
  const its = { ...shared(line, terms), x_TermsVersion: name }
  if (kind === 'commitment') return row({ ...its, ...ofNoApplication, ...unused(name, formatDollars(amount)) })
  const back = formatDollars(nanoDollars(-amount) as NanoDollars)
  return row({
    ...its,
    ...costs(back, back, back),
    ChargeCategory: 'Credit',
    ChargeDescription: `${takenOff[kind]} of ${model}`,
    ChargeFrequency: 'One-Time',
    ...resource(model),
  })
}

const unused = (name: string, usd: string): Partial<Record<Name, string>> => ({
  ...costs(usd, usd, usd),
  ChargeCategory: 'Usage',
  ChargeDescription: 'what the month lacks of its commitment',
  ChargeFrequency: 'Recurring',
  CommitmentDiscountCategory: 'Spend',
  CommitmentDiscountId: `terms/${name}`,
  CommitmentDiscountName: `commitment ${name}`,
  CommitmentDiscountStatus: 'Unused',
  CommitmentDiscountType: 'Monthly minimum',
  ContractedUnitPrice: '1',
  ListUnitPrice: '1',
  PricingCategory: 'Committed',
  PricingQuantity: usd,
  PricingUnit: 'USD',
  SkuId: 'commitment',
  SkuMeter: 'commitment',
  SkuPriceId: `terms/${name}`,
})

const purchase = (name: string, usd: string): Partial<Record<Name, string>> => ({
  ...costs(usd, usd, usd),
  EffectiveCost: '0',
  ChargeCategory: 'Purchase',
  ChargeDescription: `credit ${name}, paid in advance`,
  ChargeFrequency: 'One-Time',
  ContractedUnitPrice: usd,
  ListUnitPrice: usd,
  PricingCategory: 'Standard',
  PricingQuantity: '1',
  PricingUnit: 'Credits',
  SkuId: 'credit',
  SkuMeter: 'credit',
  SkuPriceId: `credit/${name}`,
})

const ofNoApplication = { SubAccountId: null, SubAccountName: null, Tags: null } as const

/**
 * The energy that an application's requests were given, of one grade: part of the service, so it costs nothing of its own. What was
 * divided was a meter's interval, so the parts add up to it; its grade says how.
 */
export function focusEnergyRow(energy: FocusEnergy, terms: FocusTerms): FocusRow {
  const { amount, grade } = energy
  return row({
    ...shared(energy, terms),
    ...costs('0', '0', '0'),
    ChargeCategory: 'Usage',
    ChargeDescription: 'energy of requests, in their price',
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: amount.toString(),
    ConsumedUnit: 'Millijoules',
    ContractedUnitPrice: '0',
    ListUnitPrice: '0',
    PricingCategory: 'Standard',
    PricingQuantity: amount.toString(),
    PricingUnit: 'Millijoules',
    SkuId: 'energy',
    SkuMeter: 'energy',
    SkuPriceId: 'included/energy',
    x_EnergyMillijoules: amount.toString(),
    x_EnergyGrade: grade,
    // A step's work as its engine reports it, or as rebuilt from how answers came: the receipt says which.
    x_AllocatedMethodId: 'share-of-work',
  })
}

const costs = (billed: string, list: string, contracted: string): Partial<Record<Name, string>> => ({
  BilledCost: billed,
  EffectiveCost: billed,
  ListCost: list,
  ContractedCost: contracted,
})

/** A site is the provider's region. */
const region = ({ site }: SummedPart): Partial<Record<Name, string>> => ({ RegionId: site, RegionName: site })

const resource = (model: string): Partial<Record<Name, string>> => ({
  ResourceId: model,
  ResourceName: model,
  ResourceType: 'Model',
})

function shared(
  { tenant, application, slot }: { readonly tenant: string; readonly application: string; readonly slot: number },
  { provider, slot_ms }: FocusTerms,
): Partial<Record<Name, string>> {
  const from = new Date(slot * slot_ms)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth()]
  return {
    BillingAccountId: tenant,
    BillingAccountName: tenant,
    BillingCurrency: 'USD',
    BillingPeriodStart: iso(Date.UTC(year, month)),
    BillingPeriodEnd: iso(Date.UTC(year, month + 1)),
    ChargePeriodStart: iso(slot * slot_ms),
    ChargePeriodEnd: iso((slot + 1) * slot_ms),
    InvoiceIssuerName: provider,
    ProviderName: provider,
    PublisherName: provider,
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: 'Inference',
    ServiceSubcategory: 'Generative AI',
    SubAccountId: application,
    SubAccountName: application,
    Tags: JSON.stringify({ application }),
  }
}

/** FOCUS has moments in whole seconds. */
const iso = (at_ms: number): string => `${new Date(at_ms).toISOString().slice(0, 19)}Z`

const row = (given: Partial<Record<Name, string | null>>): FocusRow =>
  Object.fromEntries(focusExportColumns.map((name) => [name, given[name] ?? null]))

export const focusCsvHead = focusExportColumns.join(',')

/** One line of the CSV, without its end. */
export const focusCsvLine = (row: FocusRow): string =>
  focusExportColumns.map((name) => (isFigure(name) ? csvNumber : csvCell)(row[name] ?? null)).join(',')

const isFigure = (name: string): boolean => focusColumn.get(name)?.format === 'decimal'
