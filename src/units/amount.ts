/**
 * Ledger amounts: whole numbers of the smallest unit, never floats.
 *
 * Money is counted in nano-dollars (1e-9 USD), energy in millijoules as DCGM counts it, tokens in tokens.
 */
declare const amount: unique symbol
export type Amount<Unit extends string> = bigint & { readonly [amount]: Unit }

export type NanoDollars = Amount<'nano-USD'>
export type Millijoules = Amount<'mJ'>
/** Nano-dollars per million tokens: a price of $0.0375/M is 37,500,000, exactly. */
export type Price = Amount<'nano-USD/Mtoken'>

export const nanoDollars = (value: bigint): NanoDollars => value as NanoDollars
export const millijoules = (value: bigint): Millijoules => value as Millijoules
export const price = (value: bigint): Price => value as Price

/** Decimal text → whole units of 10^-places, exactly; `undefined` when the text is no decimal or has finer digits. */
export function parseDecimal(text: string, places: number): bigint | undefined {
  const parts = /^([+-]?)(\d{1,30})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text.trim())
  if (!parts) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  const shift = places - fraction.length + Number(exponent)
  const digits = BigInt(whole + fraction)
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : divideExactly(digits, 10n ** BigInt(-shift))
  if (scaled === undefined) return undefined
  return sign === '-' ? -scaled : scaled
}

const divideExactly = (value: bigint, by: bigint): bigint | undefined => (value % by === 0n ? value / by : undefined)

/** Whole units of 10^-places → decimal text without trailing zeros. */
export function formatDecimal(value: bigint, places: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`
}

export const formatDollars = (value: NanoDollars): string => formatDecimal(value, 9)
export const parsePrice = (dollarsPerMillionTokens: string): Price | undefined => {
  const value = parseDecimal(dollarsPerMillionTokens, 9)
  return value === undefined || value < 0n ? undefined : price(value)
}

/**
 * Shares of `total` in proportion to `weights` that add up to it exactly (largest remainder; ties go to the earlier).
 *
 * Weights are non-negative whole numbers, not all zero.
 */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n)
  if (sum <= 0n) throw new Error('broken law: apportion needs a positive weight')
  const shares = weights.map((weight) => (total * weight) / sum)
  const rest = Number(total - shares.reduce((a, b) => a + b, 0n))
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (total * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1))
  for (const { index } of byRemainder.slice(0, rest)) shares[index] = (shares[index] ?? 0n) + 1n
  return shares
}
