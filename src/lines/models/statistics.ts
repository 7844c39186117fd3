/** Evaluate: how sure a share of right answers is, and whether two models differ. */

/** A share with its interval. */
export interface Share {
  readonly right: number
  readonly of: number
  readonly share: number
  readonly low: number
  readonly high: number
}

/** Two-sided 95 % quantile of the normal distribution. */
const Z_95 = 1.959963984540054

/**
 * Wilson's score interval: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z·SE it holds near 0 and 1.
 * With nothing observed it is [0, 1].
 */
export function wilson(right: number, of: number, z = Z_95): Share {
  if (of === 0) return { right, of, share: 0, low: 0, high: 1 }
  const share = right / of
  const centre = share + (z * z) / (2 * of)
  const spread = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))
  const scale = 1 + (z * z) / of
  return {
    right,
    of,
    share,
    low: right === 0 ? 0 : Math.max(0, (centre - spread) / scale),
    high: right === of ? 1 : Math.min(1, (centre + spread) / scale),
  }
}

/** Two models on the same items. */
export interface Paired {
  readonly onlyFirst: number
  readonly onlySecond: number
  /** share of the first - share of the second. */
  readonly difference: number
  readonly low: number
  readonly high: number
  /** Two-sided exact McNemar test. */
  readonly p: number
}

/**
 * Compares right answers item by item. d_i is 1, 0 or -1; SE = sd(d) / √n (reference: paired evaluation, gate 0).
 * McNemar's exact test looks at the b + c items on which the models disagree: under equality b ~ Binomial(b + c, 1/2).
 */
export function paired(first: readonly boolean[], second: readonly boolean[]): Paired {
  if (first.length !== second.length) throw new RangeError('paired items must be the same items')
  const items = first.length
  const onlyFirst = first.filter((right, at) => right && !second[at]).length
  const onlySecond = second.filter((right, at) => right && !first[at]).length
  const difference = (onlyFirst - onlySecond) / Math.max(1, items)
  const square = (onlyFirst + onlySecond) / Math.max(1, items)
  const error = Math.sqrt(Math.max(0, square - difference ** 2) / Math.max(1, items - 1))
  return {
    onlyFirst,
    onlySecond,
    difference,
    low: difference - Z_95 * error,
    high: difference + Z_95 * error,
    p: mcnemarExact(onlyFirst, onlySecond),
  }
}

/** min(1, 2 · P(X ≤ min(b, c))), X ~ Binomial(b + c, 1/2), summed in logarithms so that 2^n cannot overflow. */
export function mcnemarExact(b: number, c: number): number {
  const trials = b + c
  let logTerm = -trials * Math.LN2 // C(n, 0) / 2^n
  let tail = 0
  for (let k = 0; k <= Math.min(b, c); k++) {
    tail += Math.exp(logTerm)
    logTerm += Math.log((trials - k) / (k + 1))
  }
  return Math.min(1, 2 * tail)
}

/** One answer as it was stated and as it turned out. */
export interface Stated {
  readonly confidence: number
  readonly right: boolean
}

/**
 * Expected calibration error with equal-width bins: Σ_bins (n_bin / n) · |mean confidence - share right| (Guo et al. 2017).
 */
export function calibrationError(answers: readonly Stated[], bins = 10): number {
  const sums = Array.from({ length: bins }, () => ({ stated: 0, right: 0 }))
  for (const { confidence, right } of answers) {
    const bin = sums[Math.min(bins - 1, Math.floor(confidence * bins))]
    if (!bin) throw new RangeError(`confidence ${confidence} is outside [0, 1]`)
    bin.stated += confidence
    bin.right += right ? 1 : 0
  }
  const gap = sums.reduce((sum, bin) => sum + Math.abs(bin.stated - bin.right), 0)
  return answers.length === 0 ? 0 : gap / answers.length
}
