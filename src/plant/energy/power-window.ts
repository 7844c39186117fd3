/**
 * Power over a window of time, from single readings, in whole numbers: microseconds, microwatts and so picojoules. No float
 * rounds on the way, so a published average can be come by to its last digit.
 */
export interface PowerReading {
  readonly at_us: bigint
  readonly power_uw: bigint
}

/**
 * How readings become an average. *trapezoid*: power runs straight from one reading to the next, cut at the window's edges.
 * *samples*: the mean of the readings inside it, each counting alike, as MLPerf Power publishes its watts: a certified
 * analyser averages over each of its own seconds, so its readings are means and no points of a curve.
 */
export const powerRules = ['trapezoid', 'samples'] as const
export type PowerRule = (typeof powerRules)[number]

/** A number over another, above 0: exact. */
export interface Ratio {
  readonly over: bigint
  readonly under: bigint
}

export interface Span {
  readonly from_us: bigint
  readonly to_us: bigint
}

/** What is known of a window. What no reading covers is listed, and neither counted nor guessed at. */
export interface PowerWindow {
  readonly readings: number
  /** Microwatts on average over what is covered; undefined: nothing is. */
  readonly mean_uw: Ratio | undefined
  /** Picojoules drawn in what is covered. */
  readonly energy_pj: Ratio
  readonly covered_us: bigint
  readonly unmetered: readonly Span[]
}

/**
 * Readings in order of time, none at the moment of another. Two readings that are further apart than `longestGap_us` say nothing
 * of what lies between them (3 s is what InferenceX sets for its power files).
 */
export function powerWindow(
  readings: readonly PowerReading[],
  window: Span,
  rule: PowerRule,
  longestGap_us: bigint,
): PowerWindow {
  const inside = readings.filter(({ at_us }) => at_us >= window.from_us && at_us <= window.to_us)
  const covered: Span[] = []
  let whole_2pj = 0n // twice the picojoules, so that the half of a trapezoid is whole
  let cut: Ratio = { over: 0n, under: 1n }
  for (const [at, after] of readings.entries()) {
    const before = readings[at - 1]
    if (!before || after.at_us - before.at_us > longestGap_us) continue
    const span = { from_us: later(before.at_us, window.from_us), to_us: sooner(after.at_us, window.to_us) }
    if (span.to_us <= span.from_us) continue
    covered.push(span)
    const { over, under } = twiceBetween(before, after, span)
    if (under === 1n) whole_2pj += over
    else cut = plus(cut, { over, under })
  }
  const covered_us = covered.reduce((sum, { from_us, to_us }) => sum + to_us - from_us, 0n)
  const straight = plus({ over: whole_2pj, under: 2n }, { over: cut.over, under: cut.under * 2n })
  const mean_uw = rule === 'samples' ? meanOf(inside) : over(straight, covered_us)
  return {
    readings: inside.length,
    mean_uw,
    energy_pj: rule === 'samples' && mean_uw ? { over: mean_uw.over * covered_us, under: mean_uw.under } : straight,
    covered_us,
    unmetered: between(covered, window),
  }
}

/**
 * Twice the energy of a piece of the straight line from one reading to the next:
 * (P(from) + P(to)) × (to − from), where P(t) = P₁ + (P₂ − P₁) × (t − t₁) / (t₂ − t₁).
 */
function twiceBetween(before: PowerReading, after: PowerReading, { from_us, to_us }: Span): Ratio {
  const width = to_us - from_us
  const apart = after.at_us - before.at_us
  if (width === apart) return { over: (before.power_uw + after.power_uw) * width, under: 1n }
  const rise = (after.power_uw - before.power_uw) * (from_us + to_us - 2n * before.at_us)
  return { over: (2n * before.power_uw * apart + rise) * width, under: apart }
}

const meanOf = (readings: readonly PowerReading[]): Ratio | undefined =>
  over({ over: readings.reduce((sum, { power_uw }) => sum + power_uw, 0n), under: 1n }, BigInt(readings.length))

const over = ({ over, under }: Ratio, by: bigint): Ratio | undefined =>
  by === 0n ? undefined : { over, under: under * by }

const plus = (a: Ratio, b: Ratio): Ratio => ({ over: a.over * b.under + b.over * a.under, under: a.under * b.under })

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const sooner = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** What of the window no span covers. */
function between(covered: readonly Span[], window: Span): Span[] {
  const free: Span[] = []
  let from_us = window.from_us
  for (const span of covered) {
    if (span.from_us > from_us) free.push({ from_us, to_us: span.from_us })
    from_us = span.to_us
  }
  if (from_us < window.to_us) free.push({ from_us, to_us: window.to_us })
  return free
}

/** The nearest whole number (halves go up); amounts here are never below zero. */
export const nearestWhole = ({ over, under }: Ratio): bigint => (2n * over + under) / (2n * under)
