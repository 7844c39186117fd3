/**
 * How well a meter covers a span of time. What it did not cover is said and never filled: no joule is booked for it, and none
 * is claimed to have been drawn.
 *
 *     measured + estimated + unmetered = the span, from its first interval in it on
 */

/** Sums over the intervals of one meter that end within a span, each cut at the span's begin. */
export interface IntervalSums {
  readonly intervals: number
  readonly first_ms: number
  readonly last_ms: number
  readonly measured_ms: number
  readonly estimated_ms: number
  /** Intervals in which the counter went back or leapt, or that were too long for their power to be known. */
  readonly resets: number
  readonly last_reset_ms: number | null
  readonly longest_ms: number
}

export type MeterState = 'good' | 'gaps' | 'silent' | 'no reading'

export interface MeterQuality {
  readonly state: MeterState
  /** (measured + estimated) / span, from 0 to 1; null: it has not been read in it. */
  readonly coverage: number | null
  readonly measured_s: number
  readonly estimated_s: number
  readonly unmetered_s: number
  readonly longest_interval_s: number
  readonly resets: number
  readonly last_reset_ms: number | null
  readonly last_reading_ms: number | null
}

/** A meter is late after three of its usual intervals; one that is read each second gets a little more. */
const [latePeriods, leastLate_ms] = [3, 10_000]
/** A restart of ours costs a second or two of a day: no reason to call anybody. */
const goodCoverage = 0.999

export function meterQuality(sums: IntervalSums | undefined, now_ms: number): MeterQuality {
  if (!sums || sums.intervals === 0) return unread
  const { first_ms, last_ms, measured_ms, estimated_ms, intervals } = sums
  const usual_ms = (measured_ms + estimated_ms) / intervals
  const silent = now_ms - last_ms > Math.max(leastLate_ms, latePeriods * usual_ms)
  const span_ms = Math.max(0, (silent ? now_ms : last_ms) - first_ms)
  const covered_ms = measured_ms + estimated_ms
  const coverage = span_ms > 0 ? covered_ms / span_ms : null
  return {
    state: silent ? 'silent' : coverage !== null && coverage < goodCoverage ? 'gaps' : 'good',
    coverage,
    measured_s: measured_ms / 1000,
    estimated_s: estimated_ms / 1000,
    unmetered_s: Math.max(0, span_ms - covered_ms) / 1000,
    longest_interval_s: sums.longest_ms / 1000,
    resets: sums.resets,
    last_reset_ms: sums.last_reset_ms,
    last_reading_ms: last_ms,
  }
}

const unread: MeterQuality = {
  state: 'no reading',
  coverage: null,
  measured_s: 0,
  estimated_s: 0,
  unmetered_s: 0,
  longest_interval_s: 0,
  resets: 0,
  last_reset_ms: null,
  last_reading_ms: null,
}

/** What a meter sees of an engine: single boards, a place that may hold all of it, or nothing, where watts were declared. */
export type Sight = 'board' | 'query' | 'declared'

export interface MeterOverlap {
  readonly engine: string
  readonly meters: readonly string[]
  readonly why: string
}

/**
 * Meters of one engine that may count the same joules twice: declared watts are those of all of it, and a query may be over the
 * boards that are metered one by one. Which of them is right is for people to say.
 */
export function overlapsOf(engine: string, meters: readonly { name: string; sight: Sight }[]): MeterOverlap[] {
  const of = (...sights: Sight[]): string[] =>
    meters.filter(({ sight }) => sights.includes(sight)).map(({ name }) => name)
  const declared = of('declared')
  const found: MeterOverlap[] = []
  if (declared.length > 0 && of('board', 'query').length > 0)
    found.push({
      engine,
      meters: [...declared, ...of('board', 'query')],
      why: 'declared watts beside a meter: its joules count twice unless the watts are of something else',
    })
  if (of('board').length > 0 && of('query').length > 0)
    found.push({
      engine,
      meters: [...of('query'), ...of('board')],
      why: 'a meter beside boards: their joules count twice if it is over them too; then put it above them: wattmill meters place',
    })
  return found
}
