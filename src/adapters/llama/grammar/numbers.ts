/** Numbers between bounds as GBNF: which digits may stand at each place. */

export interface Range {
  readonly min: number | undefined
  readonly max: number | undefined
  /** Exclusive bounds. */
  readonly above: number | undefined
  readonly below: number | undefined
}

type Made = string | { readonly wrong: string }

/** As many digits as a double holds exactly; a bound that is missing ends here. */
const LARGEST = Number.MAX_SAFE_INTEGER

export function integersBetween(range: Range): Made {
  const low = Math.ceil(
    Math.max(range.min ?? -LARGEST, range.above === undefined ? -LARGEST : Math.floor(range.above) + 1),
  )
  const high = Math.floor(
    Math.min(range.max ?? LARGEST, range.below === undefined ? LARGEST : Math.ceil(range.below) - 1),
  )
  if (low < -LARGEST || high > LARGEST) return { wrong: `bounds beyond ±${LARGEST} are not supported` }
  if (low > high) return { wrong: 'no whole number is between the bounds' }
  return between(low, high)
}

/**
 * With whole bounds: the whole numbers below the upper one with or without a fraction, then the upper one itself. A
 * fraction lengthens a negative number away from zero, so that side is the mirror image.
 */
export function numbersBetween({ min, max, above, below }: Range): Made {
  if (above !== undefined || below !== undefined) return { wrong: 'exclusive bounds of a number are not supported' }
  for (const bound of [min, max])
    if (bound !== undefined && !Number.isSafeInteger(bound))
      return { wrong: 'bounds of a number that are not whole are not supported' }
  const [low, high] = [min ?? -LARGEST, max ?? LARGEST]
  if (low > high) return { wrong: 'no number is between the bounds' }
  const parts: string[] = []
  const fraction = '( "." [0-9]{1,16} )?'
  if (high > 0) parts.push(`${between(Math.max(0, low), high - 1)} ${fraction}`)
  if (low < 0) parts.push(`"-" ${between(Math.max(0, -high), -low - 1)} ${fraction}`)
  parts.push(between(high, high), between(low, low))
  return `( ${[...new Set(parts)].join(' | ')} )`
}

/** Whole numbers from `low` to `high`. */
function between(low: number, high: number): string {
  const parts: string[] = []
  if (low < 0) parts.push(`"-" ( ${digits(Math.max(1, -high), -low)} )`)
  if (high >= 0) parts.push(digits(Math.max(0, low), high))
  return `( ${parts.join(' | ')} )`
}

/** From `low` to `high`, neither negative: one alternative for each length. */
function digits(low: number, high: number): string {
  const parts: string[] = []
  for (let from = low; from <= high; ) {
    const to = Math.min(high, 10 ** String(from).length - 1)
    parts.push(sameLength(String(from), String(to)))
    from = to + 1
  }
  return parts.join(' | ')
}

/** Both of one length: the first digit between theirs, and the rest bounded only at the two edges. */
function sameLength(low: string, high: string): string {
  const [a, b] = [Number(low[0]), Number(high[0])]
  if (low.length === 1) return `[${a}-${b}]`
  const rest = low.length - 1
  const [lowRest, highRest] = [low.slice(1), high.slice(1)]
  const [least, most] = ['0'.repeat(rest), '9'.repeat(rest)]
  if (a === b) return `"${a}" ( ${sameLength(lowRest, highRest)} )`
  const parts: string[] = []
  const [from, to] = [lowRest === least ? a : a + 1, highRest === most ? b : b - 1]
  if (from > a) parts.push(`"${a}" ( ${sameLength(lowRest, most)} )`)
  if (from <= to) parts.push(`[${from}-${to}] [0-9]{${rest}}`)
  if (to < b) parts.push(`"${b}" ( ${sameLength(least, highRest)} )`)
  return parts.join(' | ')
}
