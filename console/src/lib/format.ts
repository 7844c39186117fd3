/** Numbers as people read them: three or four digits that matter, a unit, and never a made-up zero. */

/** What is shown where a figure is not known. */
export const unknown = '–'

const prefixes: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

export interface Shown {
  readonly number: string
  readonly unit: string
}

/** A figure and its unit, scaled where the unit takes a prefix. */
export function shown(value: number | null | undefined, unit: string): Shown {
  if (value === null || value === undefined || !Number.isFinite(value)) return { number: unknown, unit }
  if (value < 0) {
    const { number, unit: of } = shown(-value, unit)
    return { number: `${minus}${number}`, unit: of }
  }
  switch (unit) {
    case 'ms':
      return milliseconds(value)
    case 'USD':
    case 'USD/h':
    case 'USD/M tokens':
      return { number: dollars(value), unit: unit.replace('USD', '$') }
    case '1':
      return { number: percent(value), unit: '%' }
    case 'W':
    case 'J':
    case 'Wh':
      return prefixed(value, unit)
    default:
      return counted(value, unit)
  }
}

export const text = (value: number | null | undefined, unit: string): string => {
  const { number, unit: of } = shown(value, unit)
  if (number === unknown) return unknown
  return of.startsWith('$') ? `${signed(number)}${of.slice(1)}` : of === '' ? number : `${number} ${of}`
}

/** The sign stands before the dollar. */
export const signed = (number: string): string =>
  number.startsWith(minus) ? `${minus}$${number.slice(1)}` : `$${number}`

const minus = '\u2212'

function milliseconds(ms: number): Shown {
  if (ms < 1000) return { number: digits(ms), unit: 'ms' }
  if (ms < 120_000) return { number: digits(ms / 1000), unit: 's' }
  return { number: digits(ms / 60_000), unit: 'min' }
}

/** Cents where there are dollars, and as many places as a small amount needs for two digits that say something. */
export function dollars(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1000) return grouped(Math.round(value))
  if (size >= 0.1) return value.toFixed(2)
  return value.toFixed(Math.min(9, Math.ceil(-Math.log10(size)) + 1)).replace(/0+$/, '')
}

/** A decimal of the books, exactly as it was posted; tenths are cents. */
export const exactDollars = (decimal: string): string => `$${/\.\d$/.test(decimal) ? `${decimal}0` : decimal}`

const percent = (share: number): string => {
  const value = share * 100
  return value !== 0 && Math.abs(value) < 0.1 ? '<0.1' : value.toFixed(value >= 10 || value === 0 ? 0 : 1)
}

function prefixed(value: number, unit: string): Shown {
  for (const [size, prefix] of prefixes)
    if (Math.abs(value) >= size) return { number: digits(value / size), unit: prefix + unit }
  if (value !== 0 && Math.abs(value) < 1) return { number: digits(value * 1000), unit: `m${unit}` }
  return { number: digits(value), unit }
}

/** Things that are counted take the prefix themselves: 12.4 k tokens. */
function counted(value: number, unit: string): Shown {
  for (const [size, prefix] of prefixes)
    if (Math.abs(value) >= size * 10) return { number: digits(value / size), unit: `${prefix} ${unit}` }
  return { number: Number.isInteger(value) ? grouped(value) : digits(value), unit }
}

function digits(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1000) return grouped(Math.round(value))
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  if (size >= 0.1) return value.toFixed(2)
  return value.toPrecision(2)
}

/** Thousands apart by a narrow space: as ISO 31-0 has it, and nobody takes it for a decimal point. */
export const grouped = (value: number | bigint): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f')

/** How long ago: `now`, `4 s`, `12 min`, `3 h`, `5 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 2) return 'now'
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** The same with the word that makes it a sentence. */
export const ago = (ms: number): string => (age(ms) === 'now' ? 'just now' : `${age(ms)} ago`)

export const bytes = (count: number): string => {
  const { number, unit } = prefixed(count, 'B')
  return `${number} ${unit}`
}
