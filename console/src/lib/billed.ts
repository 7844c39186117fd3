/** Money of the currency in which a tenant is billed, as exact decimal text: it has more decimals than anybody reads. */
import { grouped } from './format.ts'

/** As the operator tells it beside dollars. */
export interface Billed {
  readonly currency: string
  readonly amount: string
}

const places = 21

const scaled = (decimal: string): bigint => {
  const [, sign = '', whole = '0', part = ''] = /^(-?)(\d+)(?:\.(\d{1,21}))?$/.exec(decimal) ?? []
  const value = BigInt(whole + part.padEnd(places, '0'))
  return sign === '-' ? -value : value
}

/** Sums by currency, exact, in the order in which they come. */
export function sumBilled(all: readonly Billed[]): Billed[] {
  return [...Map.groupBy(all, ({ currency }) => currency)].map(([currency, own]) => ({
    currency,
    amount: text(
      own.reduce((sum, { amount }) => sum + scaled(amount), 0n),
      places,
    ),
  }))
}

/** `1 234.50 EUR`: rounded to nine decimals, half away from zero, as statements are; tenths are cents. */
export function billedText({ currency, amount }: Billed): string {
  const unit = 10n ** 12n
  const value = scaled(amount)
  const rounded = ((value < 0n ? -value : value) + unit / 2n) / unit
  const [whole = '0', part] = text(rounded, 9).split('.')
  const cents = part === undefined ? '' : `.${part.length === 1 ? `${part}0` : part}`
  return `${value < 0n ? '−' : ''}${grouped(BigInt(whole))}${cents} ${currency}`
}

function text(value: bigint, places: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0')
  const part = digits.slice(-places).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}${part === '' ? '' : `.${part}`}`
}
