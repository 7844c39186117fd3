/**
 * exp and log from + − × ÷ alone: IEEE 754 fixes these to the bit, while `Math.exp` may differ from one engine to the next.
 * So a run of the twin is the same to the bit in Node and in a browser.
 */

const ln2 = Math.LN2

/** e^x, to a few units in the last place; x within ±700. */
export function exp(x: number): number {
  const doublings = Math.floor(x / ln2 + 0.5)
  const rest = x - doublings * ln2 // |rest| ≤ ln2 / 2, where 20 terms of the series are more than enough
  let term = 1
  let sum = 1
  for (let n = 1; n <= 20; n++) {
    term = (term * rest) / n
    sum += term
  }
  return sum * powerOfTwo(doublings)
}

/** Natural logarithm of x > 0, to a few units in the last place. */
export function log(x: number): number {
  let [mantissa, doublings] = [x, 0]
  for (; mantissa > Math.SQRT2; doublings++) mantissa /= 2
  for (; mantissa < Math.SQRT1_2; doublings--) mantissa *= 2
  // log m = 2 (y + y³/3 + y⁵/5 + …) with y = (m − 1)/(m + 1), |y| < 0.172
  const y = (mantissa - 1) / (mantissa + 1)
  const square = y * y
  let power = y
  let sum = 0
  for (let n = 1; n <= 23; n += 2) {
    sum += power / n
    power *= square
  }
  return 2 * sum + doublings * ln2
}

/** base^n for a whole n ≥ 0, by squaring. */
export function power(base: number, n: number): number {
  let [result, square, left] = [1, base, n]
  for (; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square
    square *= square
  }
  return result
}

const powerOfTwo = (n: number): number => (n >= 0 ? power(2, n) : 1 / power(2, -n))
