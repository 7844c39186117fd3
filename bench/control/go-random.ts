/**
 * Go's `math/rand` (Go 1), because the published results of the placement benchmark were drawn with it.
 *
 * It is an additive lagged Fibonacci generator, x[n] = x[n-607] + x[n-273] mod 2^64, whose start is mixed from the seed and
 * from the state that the same generator has 7.8e12 steps after a fixed seed (math/rand/gen_cooked.go). That state is
 * worked out here by jumping: the recurrence is linear, so x^n mod (x^607 - x^334 - 1) over Z/2^64 says how the state after
 * n steps is made of the first 607 values.
 */
const LENGTH = 607
const TAP = 273
const STEPS = 7_800_000_000_000n
const WORD = (1n << 64n) - 1n

/** x → 48271·x mod 2^31-1 (Lehmer). */
const lehmer = (x: number): number => Number((48_271n * BigInt(x)) % 2_147_483_647n)

/** 607 words of 3 Lehmer draws each, shifted as given, after 20 draws that are thrown away. */
function seeded(seed: number, high: bigint, middle: bigint): bigint[] {
  let x = seed
  for (let skipped = 0; skipped < 20; skipped++) x = lehmer(x)
  return Array.from({ length: LENGTH }, () => {
    const draws = [high, middle, 0n].map((shift) => {
      x = lehmer(x)
      return BigInt(x) << shift
    })
    return draws.reduce((word, draw) => word ^ draw, 0n) & WORD
  })
}

type Polynomial = BigUint64Array

/** Product of two polynomials of degree < 607, reduced by x^607 = x^334 + 1. */
function multiply(a: Polynomial, b: Polynomial): Polynomial {
  const wide = new BigUint64Array(2 * LENGTH)
  for (let i = 0; i < LENGTH; i++) {
    const factor = a[i] ?? 0n
    if (factor !== 0n) for (let j = 0; j < LENGTH; j++) wide[i + j] = (wide[i + j] ?? 0n) + factor * (b[j] ?? 0n)
  }
  for (let i = 2 * LENGTH - 2; i >= LENGTH; i--) {
    const over = wide[i] ?? 0n
    wide[i - LENGTH] = (wide[i - LENGTH] ?? 0n) + over
    wide[i - TAP] = (wide[i - TAP] ?? 0n) + over
  }
  return wide.slice(0, LENGTH)
}

/** x^steps. */
function power(steps: bigint): Polynomial {
  let result = new BigUint64Array(LENGTH)
  result[0] = 1n
  for (const bit of steps.toString(2)) {
    result = multiply(result, result) as typeof result
    if (bit === '1') result = timesX(result)
  }
  return result
}

function timesX(of: Polynomial): BigUint64Array<ArrayBuffer> {
  const result = new BigUint64Array(LENGTH)
  for (let i = 1; i < LENGTH; i++) result[i] = of[i - 1] ?? 0n
  const over = of[LENGTH - 1] ?? 0n
  result[0] = over
  result[LENGTH - TAP] = (result[LENGTH - TAP] ?? 0n) + over
  return result
}

/** The generator's 607 words in their places after 7.8e12 steps from seed 1. */
function cooked(): bigint[] {
  const start = seeded(1, 20n, 10n)
  // The vector is read backwards: step n takes places feed = 334-1-n and tap = -1-n (mod 607), so the sequence's first
  // 607 values, in order, stand at falling places.
  const place = (n: number): number => (((LENGTH - TAP - 1 - n) % LENGTH) + LENGTH) % LENGTH
  const first = Array.from({ length: LENGTH }, (_, n) => start[place(n)] ?? 0n)
  const result: bigint[] = new Array(LENGTH)
  let jump: Polynomial = power(STEPS)
  for (let ahead = 0; ahead < LENGTH; ahead++) {
    let word = 0n
    for (let i = 0; i < LENGTH; i++) word += (jump[i] ?? 0n) * (first[i] ?? 0n)
    result[place(Number((STEPS + BigInt(ahead)) % BigInt(LENGTH)))] = word & WORD
    jump = timesX(jump)
  }
  return result
}

let held: readonly bigint[] | undefined

/** Draws as Go's `rand.New(rand.NewSource(seed))` makes them. */
export class GoRandom {
  private readonly words: BigUint64Array
  private tap = 0
  private feed = LENGTH - TAP

  constructor(seed: number) {
    held ??= cooked()
    this.words = BigUint64Array.from(seeded(seed, 40n, 20n), (word, index) => word ^ (held?.[index] ?? 0n))
  }

  uint64(): bigint {
    this.tap = (this.tap + LENGTH - 1) % LENGTH
    this.feed = (this.feed + LENGTH - 1) % LENGTH
    const sum = ((this.words[this.feed] ?? 0n) + (this.words[this.tap] ?? 0n)) & WORD
    this.words[this.feed] = sum
    return sum
  }

  int63(): bigint {
    return this.uint64() & (WORD >> 1n)
  }

  int31(): number {
    return Number(this.int63() >> 32n)
  }

  /** In [0, 1): Go throws away the draws that round to 1. */
  float64(): number {
    for (;;) {
      const value = Number(this.int63() % (1n << 53n)) / 2 ** 53
      if (value !== 1) return value
    }
  }

  /** In [0, n) for n below 2^31. */
  intn(n: number): number {
    if ((n & (n - 1)) === 0) return this.int31() & (n - 1)
    const most = 2 ** 31 - 1 - (2 ** 31 % n)
    let value = this.int31()
    while (value > most) value = this.int31()
    return value % n
  }

  /** In [0, n) by multiply and shift; used by shuffle. */
  private int31n(n: number): number {
    const draw = (): bigint => this.int63() >> 31n
    let product = draw() * BigInt(n)
    let low = product & 0xffff_ffffn
    if (low < BigInt(n)) {
      const threshold = 2n ** 32n % BigInt(n)
      while (low < threshold) {
        product = draw() * BigInt(n)
        low = product & 0xffff_ffffn
      }
    }
    return Number(product >> 32n)
  }

  /** 0 … n-1 in a new order, as `Shuffle` with swaps leaves a slice. */
  shuffled(n: number): number[] {
    const items = Array.from({ length: n }, (_, index) => index)
    for (let i = n - 1; i > 0; i--) {
      const j = this.int31n(i + 1)
      const [a, b] = [items[i], items[j]]
      items[i] = b as number
      items[j] = a as number
    }
    return items
  }

  /** `Perm`: built from the inside out. */
  permutation(n: number): number[] {
    const items: number[] = new Array(n).fill(0)
    for (let i = 0; i < n; i++) {
      const j = this.intn(i + 1)
      items[i] = items[j] as number
      items[j] = i
    }
    return items
  }
}
