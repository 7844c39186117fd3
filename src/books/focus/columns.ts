/**
 * Columns of the FinOps Open Cost and Usage Specification (FOCUS) 1.2 with what each may hold: feature level, nullability, format and
 * allowed values as its column definitions say them.
 */
export type FocusFormat = 'text' | 'decimal' | 'time' | 'currency' | 'pricing_currency' | 'key_values'

export interface FocusColumn {
  readonly id: string
  readonly level: 'mandatory' | 'recommended' | 'conditional'
  readonly nullable: boolean
  readonly format: FocusFormat
  readonly allowed?: readonly string[]
}

const serviceCategories = [
  'AI and Machine Learning',
  'Analytics',
  'Business Applications',
  'Compute',
  'Databases',
  'Developer Tools',
  'Multicloud',
  'Identity',
  'Integration',
  'Internet of Things',
  'Management and Governance',
  'Media',
  'Migration',
  'Mobile',
  'Networking',
  'Security',
  'Storage',
  'Web',
  'Other',
]

const column = (
  level: FocusColumn['level'],
  id: string,
  nulls: 'nullable' | 'never null',
  format: FocusFormat = 'text',
  allowed?: readonly string[],
): FocusColumn => ({ id, level, nullable: nulls === 'nullable', format, ...(allowed && { allowed }) })

const used = ['Used', 'Unused']

export const focusColumns: readonly FocusColumn[] = [
  column('recommended', 'AvailabilityZone', 'nullable'),
  column('mandatory', 'BilledCost', 'never null', 'decimal'),
  column('mandatory', 'BillingAccountId', 'never null'),
  column('mandatory', 'BillingAccountName', 'nullable'),
  column('conditional', 'BillingAccountType', 'never null'),
  column('mandatory', 'BillingCurrency', 'never null', 'currency'),
  column('mandatory', 'BillingPeriodEnd', 'never null', 'time'),
  column('mandatory', 'BillingPeriodStart', 'never null', 'time'),
  column('conditional', 'CapacityReservationId', 'nullable'),
  column('conditional', 'CapacityReservationStatus', 'nullable', 'text', used),
  column('mandatory', 'ChargeCategory', 'never null', 'text', ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment']),
  column('mandatory', 'ChargeClass', 'nullable', 'text', ['Correction']),
  column('mandatory', 'ChargeDescription', 'nullable'),
  column('recommended', 'ChargeFrequency', 'never null', 'text', ['One-Time', 'Recurring', 'Usage-Based']),
  column('mandatory', 'ChargePeriodEnd', 'never null', 'time'),
  column('mandatory', 'ChargePeriodStart', 'never null', 'time'),
  column('conditional', 'CommitmentDiscountCategory', 'nullable', 'text', ['Spend', 'Usage']),
  column('conditional', 'CommitmentDiscountId', 'nullable'),
  column('conditional', 'CommitmentDiscountName', 'nullable'),
  column('conditional', 'CommitmentDiscountQuantity', 'nullable', 'decimal'),
  column('conditional', 'CommitmentDiscountStatus', 'nullable', 'text', used),
  column('conditional', 'CommitmentDiscountType', 'nullable'),
  column('conditional', 'CommitmentDiscountUnit', 'nullable'),
  column('conditional', 'ConsumedQuantity', 'nullable', 'decimal'),
  column('conditional', 'ConsumedUnit', 'nullable'),
  column('mandatory', 'ContractedCost', 'never null', 'decimal'),
  column('conditional', 'ContractedUnitPrice', 'nullable', 'decimal'),
  column('mandatory', 'EffectiveCost', 'never null', 'decimal'),
  column('recommended', 'InvoiceId', 'nullable'),
  column('mandatory', 'InvoiceIssuerName', 'never null'),
  column('mandatory', 'ListCost', 'never null', 'decimal'),
  column('conditional', 'ListUnitPrice', 'nullable', 'decimal'),
  column('conditional', 'PricingCategory', 'nullable', 'text', ['Standard', 'Dynamic', 'Committed', 'Other']),
  column('conditional', 'PricingCurrency', 'nullable', 'pricing_currency'),
  column('conditional', 'PricingCurrencyContractedUnitPrice', 'nullable', 'decimal'),
  column('conditional', 'PricingCurrencyEffectiveCost', 'nullable', 'decimal'),
  column('conditional', 'PricingCurrencyListUnitPrice', 'nullable', 'decimal'),
  column('mandatory', 'PricingQuantity', 'nullable', 'decimal'),
  column('mandatory', 'PricingUnit', 'nullable'),
  column('mandatory', 'ProviderName', 'never null'),
  column('mandatory', 'PublisherName', 'never null'),
  column('conditional', 'RegionId', 'nullable'),
  column('conditional', 'RegionName', 'nullable'),
  column('conditional', 'ResourceId', 'nullable'),
  column('conditional', 'ResourceName', 'nullable'),
  column('conditional', 'ResourceType', 'nullable'),
  column('mandatory', 'ServiceCategory', 'never null', 'text', serviceCategories),
  column('mandatory', 'ServiceName', 'never null'),
  column('recommended', 'ServiceSubcategory', 'never null'),
  column('conditional', 'SkuId', 'nullable'),
  column('conditional', 'SkuMeter', 'nullable'),
  column('conditional', 'SkuPriceDetails', 'nullable', 'key_values'),
  column('conditional', 'SkuPriceId', 'nullable'),
  column('conditional', 'SubAccountId', 'nullable'),
  column('conditional', 'SubAccountName', 'nullable'),
  column('conditional', 'SubAccountType', 'nullable'),
  column('conditional', 'Tags', 'nullable', 'key_values'),
]

export const focusColumn: ReadonlyMap<string, FocusColumn> = new Map(focusColumns.map((one) => [one.id, one]))

/** Subcategories of the only category that a factory sells in. */
export const aiSubcategories: readonly string[] = [
  'AI Platforms',
  'Bots',
  'Generative AI',
  'Machine Learning',
  'Natural Language Processing',
  'Other (AI and Machine Learning)',
]
