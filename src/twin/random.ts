import { exp, log } from '../units/arithmetic.ts'

/**
 * Chance by name: every use draws from a stream of its own, so that one more draw here changes nothing there, and a policy
 * that decides otherwise still meets the same arrivals.
 *
 *     const random = randomFrom(seed)
 *     const gap_s = random('arrivals').exponential(1 / rate)
 */
export const randomFrom = (seed: number): ((name: string) => Random) => {
  const streams = new Map<string, Random>()
  return (name) => {
    const stream = streams.get(name) ?? new Random(seed, name)
    streams.set(name, stream)
    return stream
  }
}

/** xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32 over the seed and the stream's name. */
export class Random {
  readonly #state = new Uint32Array(4)

  constructor(seed: number, name: string) {
    let mixed = hash(name, seed >>> 0) ^ hash(name, Math.floor(seed / 2 ** 32) >>> 0)
    for (let word = 0; word < 4; word++) {
      mixed = (mixed + 0x9e3779b9) >>> 0
      this.#state[word] = scramble(mixed)
    }
  }

  /** 32 random bits. */
  bits(): number {
    const state = this.#state
    const [a = 0, b = 0, c = 0, d = 0] = state
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const [third, fourth] = [c ^ a, d ^ b]
    state[0] = a ^ fourth
    state[1] = b ^ third
    state[2] = third ^ (b << 9)
    state[3] = rotate(fourth, 11)
    return result
  }

  /** In [0, 1), with 53 bits. */
  share(): number {
    return ((this.bits() >>> 5) * 67_108_864 + (this.bits() >>> 6)) / 9_007_199_254_740_992
  }

  /** A whole number from … to, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.share() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.share() < probability
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.whole(0, items.length - 1)] ?? items[0]
  }

  exponential(mean: number): number {
    return -mean * log(1 - this.share())
  }

  /** Standard normal, by Marsaglia's polar method: needs no sine. */
  normal(): number {
    for (;;) {
      const [x, y] = [2 * this.share() - 1, 2 * this.share() - 1]
      const square = x * x + y * y
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * log(square)) / square)
    }
  }

  /** Gamma of mean shape × scale (Marsaglia and Tsang, 2000). */
  gamma(shape: number, scale: number): number {
    if (shape < 1) return this.gamma(shape + 1, scale) * exp(log(1 - this.share()) / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = this.normal()
      const v = 1 + c * x
      if (v > 0 && log(1 - this.share()) < 0.5 * x * x + d - d * v * v * v + d * 3 * log(v))
        return d * v * v * v * scale
    }
  }

  /** e^N(mu, sigma²): lengths of prompts and answers are near it. */
  lognormal(median: number, sigma: number): number {
    return median * exp(sigma * this.normal())
  }
}

const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0

/** FNV-1a over the name, begun with the seed. */
function hash(name: string, seed: number): number {
  let mixed = scramble(seed ^ 0x811c9dc5)
  for (let at = 0; at < name.length; at++) mixed = Math.imul(mixed ^ name.charCodeAt(at), 0x01000193)
  return mixed >>> 0
}

function scramble(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
