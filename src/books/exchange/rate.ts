import type { Amount } from '../../units/amount.ts'
import { formatDecimal, parseDecimal } from '../../units/amount.ts'

/** What a dollar buys of a currency, in 10^-12 of it: 0.92 EUR are 920,000,000,000. */
export type Rate = Amount<'1e-12/USD'>
const ratePlaces = 12
/** Below a million, so that it fits a signed 64-bit number. */
const largest = 10n ** 18n

/** Decimal text, exactly; `undefined` when it is no number, is finer than 12 decimals, or no rate that could be meant. */
export function parseRate(text: string): Rate | undefined {
  const value = parseDecimal(text, ratePlaces)
  return value === undefined || value <= 0n || value >= largest ? undefined : (value as Rate)
}

export const formatRate = (rate: Rate): string => formatDecimal(rate, ratePlaces)

/** The rate of a currency from a UTC day on, until the next day that has one. */
export interface DayRate {
  readonly currency: string
  /** Days since 1970. */
  readonly day: number
  readonly rate: Rate
  /** Of the declaration that it came with. */
  readonly version: number
}

/** Nano-dollars × rate: money of another currency in 10^-21 of it. Nothing is rounded. */
export type Exchanged = Amount<'1e-21'>
const exactPlaces = 9 + ratePlaces

export const exchanged = (nanoUsd: bigint, { rate }: Pick<DayRate, 'rate'>): Exchanged => (nanoUsd * rate) as Exchanged

export const formatExchanged = (value: bigint): string => formatDecimal(value, exactPlaces)

/** Decimal text in dollars × rate, exactly. */
export function exchangedText(usd: string, places: number, { rate }: Pick<DayRate, 'rate'>): string {
  const value = parseDecimal(usd, places)
  if (value === undefined) throw new Error(`broken law: ${usd.slice(0, 60)} has more than ${places} decimals`)
  return formatDecimal(value * rate, places + ratePlaces)
}

/** How a sum of money is rounded for whoever reads it: once, half away from zero, to nine decimals. */
export function roundedOnce(value: bigint): bigint {
  const unit = 10n ** BigInt(exactPlaces - 9)
  const size = value < 0n ? -value : value
  const whole = (size + unit / 2n) / unit
  return value < 0n ? -whole : whole
}

/** The parts of a sum, rounded so that they add up to what it was rounded to: the largest remainders get what is left; ties go to the earlier. */
export function roundedTogether(values: readonly bigint[], to: bigint): bigint[] {
  const unit = 10n ** BigInt(exactPlaces - 9)
  const down = values.map((value) => (value - (((value % unit) + unit) % unit)) / unit)
  const left = Number(to - down.reduce((a, b) => a + b, 0n))
  const byRemainder = values
    .map((value, index) => ({ index, rest: value - (down[index] ?? 0n) * unit }))
    .sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))
  for (const { index } of byRemainder.slice(0, left)) down[index] = (down[index] ?? 0n) + 1n
  return down
}

export const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10)
