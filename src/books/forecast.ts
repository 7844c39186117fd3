/** Whole hours in which a day and a week repeat. */
const day_h = 24
const week_h = 168
/** Seasons of which the shape is made: more would remember a factory that is no longer so. */
const mostSeasons = 4
/** Seasons that must be there before anything is said: of fewer no shape can be told from chance. */
const fewestSeasons = 3
/** Back-tests that do not overlap, of which a spread can be made. */
const fewestTests = 2
/** What the interval is meant to hold: four months of five. */
export const meant = 0.8

export type Forecast =
  | {
      readonly verdict: 'forecast'
      /** Of the hours ahead. */
      readonly total: number
      readonly low: number
      readonly high: number
      /** What shape was repeated: of a day or of a week. */
      readonly season_h: number
      /** Past stretches, which do not overlap, for which the same rule was asked, and how many hours each was long. */
      readonly tests: number
      readonly tested_h: number
      /** Share of past moments whose truth lay in the interval that the others would have given; meant is `meant`. Null: too few. */
      readonly coverage: number | null
    }
  | { readonly verdict: 'too_little'; readonly have_h: number; readonly need_h: number }

/**
 * What the next `ahead` hours come to, from the hours before them: the shape of the last weeks (of days, while there are no three
 * weeks), at the level of the last season.
 *
 * The interval is not assumed but seen: the same rule is asked at past moments, and what it was wrong by is taken for what it will be
 * wrong by (Student's t over as many stretches as do not overlap). More hours than could be tested keep the interval of those that could.
 */
export function forecast(hours: readonly number[], ahead: number): Forecast {
  const season_h = hours.length >= fewestSeasons * week_h ? week_h : day_h
  const least = fewestSeasons * season_h
  const tested_h = Math.max(1, Math.min(ahead, Math.floor((hours.length - 2 * season_h) / fewestTests)))
  const tests = hours.length < least ? [] : testsOf(hours, season_h, tested_h)
  const apart = stretches(tests, tested_h)
  if (apart < fewestTests)
    return { verdict: 'too_little', have_h: hours.length, need_h: Math.max(least, hours.length + day_h) }
  const total = project(hours, hours.length, season_h, ahead)
  const wide = spread(tests, tested_h)
  return {
    verdict: 'forecast',
    total,
    low: total * Math.max(0, 1 - wide),
    high: total * (1 + wide),
    season_h,
    tests: apart,
    tested_h,
    coverage: coverageOf(tests, tested_h),
  }
}

interface Tested {
  readonly at: number
  /** What came by what was said, less one. */
  readonly error: number
}

/** At up to sixty moments. Where the rule would have said nothing, nothing is learned. */
function testsOf(hours: readonly number[], season_h: number, ahead: number): Tested[] {
  const first = 2 * season_h
  const last = hours.length - ahead
  const step = Math.max(1, Math.floor((last - first) / 60))
  const tests: Tested[] = []
  for (let at = last; at >= first; at -= step) {
    const said = project(hours, at, season_h, ahead)
    if (said > 0) tests.push({ at, error: sum(hours, at, at + ahead) / said - 1 })
  }
  return tests
}

/** How many stretches of that length lie in what was tested, side by side. */
function stretches(tests: readonly Tested[], length: number): number {
  if (tests.length === 0) return 0
  const moments = tests.map(({ at }) => at)
  return Math.floor((Math.max(...moments) - Math.min(...moments)) / length) + 1
}

/** Half of the interval, as a part of what is said. Errors about zero, not about their mean: being wrong to one side is being wrong. */
function spread(tests: readonly Tested[], length: number): number {
  const apart = stretches(tests, length)
  const square = tests.reduce((all, { error }) => all + error * error, 0) / tests.length
  return student(apart) * Math.sqrt(square * (1 + 1 / apart))
}

/** The 90 % quantile of Student's t, so that a fifth lies outside on both sides together; within 1 % from two degrees of freedom on. */
const student = (degrees: number): number => 1.2816 + 0.9 / degrees + 0.6 / (degrees * degrees)

/** Each past moment against the spread of those that do not overlap with it. */
function coverageOf(tests: readonly Tested[], length: number): number | null {
  const judged = tests.flatMap(({ at, error }) => {
    const others = tests.filter((other) => Math.abs(other.at - at) >= length)
    return others.length === 0 ? [] : [Math.abs(error) <= spread(others, length)]
  })
  return judged.length === 0 ? null : judged.filter(Boolean).length / judged.length
}

/** The shape of the seasons before a moment, repeated, at the level of the last one. */
function project(hours: readonly number[], at: number, season_h: number, ahead: number): number {
  const seasons = Math.min(mostSeasons, Math.floor(at / season_h))
  const from = at - seasons * season_h
  const all = sum(hours, from, at)
  if (all === 0) return 0
  const level = (sum(hours, at - season_h, at) * seasons) / all
  let total = 0
  for (let hour = 0; hour < ahead; hour++) {
    let same = 0
    for (let season = 0; season < seasons; season++) same += hours[from + season * season_h + (hour % season_h)] ?? 0
    total += same / seasons
  }
  return total * level
}

function sum(hours: readonly number[], from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at++) total += hours[at] ?? 0
  return total
}
