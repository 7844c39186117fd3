/**
 * Our own sampler, for requests that want log-probabilities: llama.cpp's chain tells probabilities only as its filters left
 * them, cut to the top 40 and sharpened by the temperature, and those are nobody's log-probabilities. So the model's own
 * distribution is asked for, and the token is drawn here: penalties → top-k → top-p → min-p → temperature, as there.
 */
import type { Sampling } from './protocol.ts'
import { DEFAULTS, PENALTY_WINDOW } from './sampling.ts'

/** Tokens with their probabilities, likeliest first. */
export type Distribution = ReadonlyMap<number, number>

type Weighed = readonly [token: number, logit: number]

/** `made`: what was sampled before; `chance`: a number in [0, 1), taken once. */
export function draw(likely: Distribution, sampling: Sampling, made: readonly number[], chance: () => number): number {
  const { temperature, top_p, top_k, min_p } = { ...DEFAULTS, ...sampling }
  const left = filtered(penalised(likely, sampling, made), temperature === 0 ? 1 : top_k, top_p, min_p)
  const [best] = left
  if (!best) throw new Error('no token may be sampled')
  if (temperature === 0) return best[0]
  const weights = left.map(([, logit]) => Math.exp((logit - best[1]) / temperature))
  const mark = chance() * weights.reduce((sum, weight) => sum + weight, 0)
  let passed = 0
  for (const [at, weight] of weights.entries()) {
    passed += weight
    if (mark < passed) return left[at]?.[0] ?? best[0]
  }
  return best[0] // only if the sum was rounded down
}

/** Log-probabilities less the penalties, likeliest first. */
function penalised(likely: Distribution, sampling: Sampling, made: readonly number[]): Weighed[] {
  const { presence_penalty = 0, frequency_penalty = 0 } = sampling
  const ordered = [...likely].filter(([, probability]) => probability > 0) // what a grammar forbids has none
  const counts = new Map<number, number>()
  if (presence_penalty !== 0 || frequency_penalty !== 0)
    for (const token of made.slice(-PENALTY_WINDOW)) counts.set(token, (counts.get(token) ?? 0) + 1)
  const weighed = ordered.map(([token, probability]): Weighed => {
    const count = counts.get(token)
    return [token, Math.log(probability) - (count ? presence_penalty + count * frequency_penalty : 0)]
  })
  return counts.size > 0 ? weighed.sort(([, a], [, b]) => b - a) : weighed
}

/** The head that top-k, top-p and min-p leave, never less than one. A top-k of 0 or below is none. */
function filtered(ordered: readonly Weighed[], topK: number, topP: number, minP: number): readonly Weighed[] {
  const head = topK > 0 ? ordered.slice(0, topK) : ordered
  const best = head[0]?.[1] ?? 0
  const total = head.reduce((sum, [, logit]) => sum + Math.exp(logit - best), 0)
  let seen = 0
  const kept =
    topP >= 1
      ? head
      : head.filter(([, logit], at) => {
          const before = seen
          seen += Math.exp(logit - best) / total
          return at === 0 || before < topP
        })
  return kept.filter(([, logit], at) => at === 0 || Math.exp(logit - best) >= minP)
}
