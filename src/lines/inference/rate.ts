/** A rate that is learned: the median of what was seen, step by step, since a mean is pulled about by the few that waited for room. */
export class Rate {
  value: number
  seen = 0
  /** Who learns it together. */
  members = 0
  readonly #first: number
  readonly #known: number
  readonly #leastStep: number

  /** `known`: samples that the first value is worth; `leastStep`: so much it follows each sample when it has seen many. */
  constructor(first: number, known: number, leastStep: number) {
    this.value = first
    this.#first = first
    this.#known = known
    this.#leastStep = leastStep
  }

  learn(seen: number): void {
    const count = ++this.seen + this.#known
    // The first four double it, since a guess may be far off.
    const step = Math.max(this.#leastStep, count < enough ? Math.min(1, 4 / count) : 2 / count)
    this.value *= seen > this.value ? 1 + step : 1 / (1 + step)
    // Who was slower than guessed in its first answers would get no others to show that it is not.
    if (count < settled) this.value = Math.max(this.value, this.#first)
  }
}

/** What replicas that are declared alike have in common, from a guess that is worth nothing. */
export const alikeRate = (guess: number): Rate => new Rate(guess, 0, 0.0025)

/**
 * The rate of one of several that are declared alike: theirs, unless its own turns out to be another, as that of a card that is
 * capped or hot does. One replica's samples are few and spread widely; what they say of small differences is chance, and would
 * decide who gets a request. Who is taken for slow is asked seldom, and would be taken for slow for ever: what it said is
 * forgotten when the others have said much since.
 */
export class SharedRate {
  readonly #alike: Rate
  #own: Rate
  /** What all of them had said when it last said something. */
  #saidAt = 0

  constructor(alike: Rate) {
    this.#alike = alike
    this.#own = this.#anew()
    alike.members++
  }

  get value(): number {
    const { value } = this.#alike
    if (this.#own.seen < enough || this.#isOld) return value
    const share = this.#own.value / value
    return share * band < 1 || share > band ? this.#own.value : value
  }

  learn(seen: number): void {
    if (this.#own.seen === 0 || this.#isOld) this.#own = this.#anew()
    this.#alike.learn(seen)
    this.#saidAt = this.#alike.seen
    if (this.#alike.seen > settled) this.#own.learn(seen)
  }

  get #isOld(): boolean {
    return this.#alike.seen - this.#saidAt > fresh * this.#alike.members
  }

  #anew(): Rate {
    return new Rate(this.#alike.value, settled, 0.01)
  }
}

/** Samples without which nobody is taken for slower than was guessed, or for another than those who are alike. */
const enough = 16
/** From here on the first guess says nothing any more. */
const settled = 64
/** Differences up to this are taken for chance: so widely sixteen samples spread. */
const band = 1.3
/** So often each of the others has said something, and who was silent meanwhile is taken for one of them again. */
const fresh = 20
