import { parseDecimal } from '../../units/amount.ts'
import type { FocusColumn, FocusFormat } from './columns.ts'
import { aiSubcategories, focusColumn, focusColumns } from './columns.ts'

/** A row by the names of its columns; null: the field is empty. A column that is not there is undefined. */
export type FocusRow = Readonly<Record<string, string | null>>

export interface FocusBreach {
  readonly column: string
  readonly rule: string
}

/** Columns that a whole data set lacks, and those that it has no right to: what is ours alone begins with `x_`. */
export function checkFocusColumns(names: readonly string[]): FocusBreach[] {
  const missing = focusColumns.filter(({ id, level }) => level === 'mandatory' && !names.includes(id))
  const unknown = names.filter((name) => !focusColumn.has(name) && !/^x_[A-Z][A-Za-z0-9]*$/.test(name))
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  return [
    ...missing.map(({ id }) => ({ column: id, rule: 'is mandatory and not there' })),
    ...unknown.map((name) => ({
      column: name,
      rule: 'is no column of FOCUS 1.2, and its name does not begin with x_',
    })),
    ...twice.map((name) => ({ column: name, rule: 'is there twice' })),
  ]
}

/** What a row breaks of the rules of its columns. A rule over a column that is not there says nothing. */
export const checkFocusRow = (row: FocusRow): FocusBreach[] => {
  const alone = Object.entries(row).flatMap(([name, value]) => {
    const column = focusColumn.get(name)
    const rule = column && breachOf(column, value)
    return rule ? [{ column: name, rule }] : []
  })
  // Rules between columns are told of values that are values.
  return alone.length > 0
    ? alone
    : [...categories(row), ...quantities(row), ...products(row), ...periods(row), ...pairs(row)]
}

function breachOf({ nullable, format, allowed }: FocusColumn, value: string | null): string | undefined {
  if (value === null) return nullable ? undefined : 'must not be null'
  if (allowed && !allowed.includes(value)) return `must be one of ${allowed.join(', ')}`
  return forms[format](value) ? undefined : says[format]
}

const says: Readonly<Record<FocusFormat, string>> = {
  text: 'must not be empty, or padded with blanks',
  decimal: 'must be a number, with nothing but digits, one point, a minus and E notation',
  time: 'must be a moment in UTC such as 2027-01-31T00:00:00Z',
  currency: 'must be a currency of ISO 4217 such as USD',
  pricing_currency: 'must be a currency of ISO 4217, or the name of a virtual one',
  key_values: 'must be a JSON object of texts, numbers, booleans and nulls, each key once',
}

const forms: Readonly<Record<FocusFormat, (value: string) => boolean>> = {
  text: (value) => value.length > 0 && value.trim() === value,
  decimal: (value) => /^-?\d{1,30}(\.\d{1,30})?(E-?\d{1,2})?$/.test(value),
  time: (value) =>
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value)) &&
    new Date(value).toISOString().startsWith(value.slice(0, 19)),
  currency: (value) => /^[A-Z]{3}$/.test(value),
  pricing_currency: (value) => /^[A-Za-z][A-Za-z ]*$/.test(value),
  key_values: isKeyValues,
}

function isKeyValues(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    if (Object.values(value).some((each) => typeof each === 'object' && each !== null)) return false
    const keys = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined)
    return keys.length === Object.keys(value).length
  } catch {
    return false
  }
}

const must = (column: string, rule: string): FocusBreach => ({ column, rule })
const isNull = (row: FocusRow, name: string): boolean => row[name] === null
const isSet = (row: FocusRow, name: string): boolean => typeof row[name] === 'string'
const isCorrection = (row: FocusRow): boolean => row.ChargeClass === 'Correction'

/** Prices belong to what is used or bought; a tax has none. */
const priced = ['PricingQuantity', 'ListUnitPrice', 'ContractedUnitPrice', 'PricingCategory', 'SkuId', 'SkuPriceId']

function categories(row: FocusRow): FocusBreach[] {
  const { ChargeCategory: category, ChargeFrequency: frequency } = row
  const found: FocusBreach[] = []
  if (category === 'Purchase' && frequency === 'Usage-Based')
    found.push(must('ChargeFrequency', 'must not be Usage-Based for a Purchase'))
  const sold = (category === 'Usage' || category === 'Purchase') && !isCorrection(row)
  for (const name of priced) {
    if (sold && isNull(row, name)) found.push(must(name, `must not be null for ${category}`))
    if (category === 'Tax' && isSet(row, name)) found.push(must(name, 'must be null for Tax'))
  }
  const { ServiceCategory: service, ServiceSubcategory: part } = row
  if (service === 'AI and Machine Learning' && typeof part === 'string' && !aiSubcategories.includes(part))
    found.push(must('ServiceSubcategory', `must be one of ${aiSubcategories.join(', ')}`))
  return found
}

function quantities(row: FocusRow): FocusBreach[] {
  const { ChargeCategory: category, CommitmentDiscountStatus: status } = row
  const found: FocusBreach[] = []
  const consumed = category === 'Usage' && status !== 'Unused'
  if (category !== undefined && !consumed && isSet(row, 'ConsumedQuantity'))
    found.push(must('ConsumedQuantity', 'must be null for what is not used'))
  if (consumed && !isCorrection(row) && isNull(row, 'ConsumedQuantity'))
    found.push(must('ConsumedQuantity', 'must not be null for Usage'))
  for (const name of ['ListUnitPrice', 'ContractedUnitPrice'])
    if (row[name]?.startsWith('-')) found.push(must(name, 'must not be negative'))
  return found
}

const places = 60

/** A unit price times its quantity is its cost, exactly; and a charge that is related to no other has one cost. */
function products(row: FocusRow): FocusBreach[] {
  const found: FocusBreach[] = []
  const value = (name: string): bigint | undefined => parseDecimal(row[name] ?? '', places)
  for (const which of ['List', 'Contracted']) {
    const [price, quantity, cost] = [`${which}UnitPrice`, 'PricingQuantity', `${which}Cost`].map(value)
    if (price === undefined || quantity === undefined || cost === undefined || isCorrection(row)) continue
    if (price * quantity !== cost * 10n ** BigInt(places))
      found.push(must(`${which}Cost`, `must be ${which}UnitPrice × PricingQuantity`))
  }
  if (row.ChargeCategory === 'Credit')
    for (const name of ['ListCost', 'ContractedCost'])
      if (isSet(row, name) && isSet(row, 'BilledCost') && value(name) !== value('BilledCost'))
        found.push(must(name, 'must be the BilledCost for a Credit'))
  return found
}

function periods(row: FocusRow): FocusBreach[] {
  return ['BillingPeriod', 'ChargePeriod'].flatMap((name) => {
    const [start, end] = [row[`${name}Start`], row[`${name}End`]]
    return start && end && start >= end ? [must(`${name}End`, `must be after ${name}Start`)] : []
  })
}

/** The second of each is null exactly when the first is. */
const together = [
  ['PricingQuantity', 'PricingUnit'],
  ['ConsumedQuantity', 'ConsumedUnit'],
  ['CommitmentDiscountQuantity', 'CommitmentDiscountUnit'],
] as const

/** The second of each is null when the first is. */
const dependent = [
  ['SkuId', 'SkuMeter'],
  ['ResourceId', 'ResourceName'],
  ['ResourceId', 'ResourceType'],
  ['SubAccountId', 'SubAccountName'],
  ['RegionId', 'RegionName'],
  ['CommitmentDiscountId', 'CommitmentDiscountStatus'],
  ['CommitmentDiscountId', 'CommitmentDiscountCategory'],
] as const

function pairs(row: FocusRow): FocusBreach[] {
  const same = together.flatMap(([first, second]) =>
    (isNull(row, first) && isSet(row, second)) || (isSet(row, first) && isNull(row, second))
      ? [must(second, `must be null exactly when ${first} is`)]
      : [],
  )
  const after = dependent.flatMap(([first, second]) =>
    isNull(row, first) && isSet(row, second) ? [must(second, `must be null when ${first} is`)] : [],
  )
  const status = 'CommitmentDiscountStatus'
  const left = isSet(row, 'CommitmentDiscountId') && row.ChargeCategory === 'Usage' && isNull(row, status)
  return [...same, ...after, ...(left ? [must(status, 'must not be null for Usage under a commitment')] : [])]
}
