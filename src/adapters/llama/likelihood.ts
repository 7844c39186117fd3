/** How likely the tokens of an answer were: told with the text they belong to, and not with text that is never shown. */
import type { TokenLikelihood } from './protocol.ts'

/** A sampled token with its log-probability, and the likeliest tokens in its place. */
export interface Likelihood {
  readonly logprob: number
  readonly top: readonly { readonly token: number; readonly logprob: number }[]
}

/** A probability that a 32-bit float rounds to nothing; OpenAI says so too. */
const LEAST = -9999

/** Of a distribution whose likeliest token comes first. */
export function likelihoodOf(likely: ReadonlyMap<number, number>, token: number, alternatives: number): Likelihood {
  const logprob = (probability: number): number => Math.max(LEAST, Math.log(probability))
  const top: { token: number; logprob: number }[] = []
  for (const [other, probability] of likely) {
    if (top.length >= alternatives || probability <= 0) break
    top.push({ token: other, logprob: logprob(probability) })
  }
  return { logprob: logprob(likely.get(token) ?? 0), top }
}

export function tellLikelihood(
  token: number,
  { logprob, top }: Likelihood,
  bytesOf: (token: number) => Uint8Array,
): TokenLikelihood {
  const told = (one: number, logprob: number) => ({ bytes: [...bytesOf(one)], logprob })
  return { ...told(token, logprob), top: top.map((one) => told(one.token, one.logprob)) }
}

/**
 * Tokens whose text is held back, because it may begin a stop string or is half a character. One is released as soon as
 * text beyond its beginning has been shown; after a stop string those that are left are dropped with it.
 */
export class HeldLikelihoods {
  #held: { readonly start: number; readonly one: TokenLikelihood }[] = []

  /** `start`: how much text there was before this token. */
  add(start: number, one: TokenLikelihood): void {
    this.#held.push({ start, one })
  }

  /** Those whose text has been shown, when so much has been shown in all. */
  release(shown: number): TokenLikelihood[] {
    const out = this.#held.filter(({ start }) => start < shown)
    this.#held = this.#held.filter(({ start }) => start >= shown)
    return out.map(({ one }) => one)
  }

  clear(): void {
    this.#held = []
  }
}
