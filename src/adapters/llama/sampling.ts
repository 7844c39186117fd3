/**
 * The protocol's sampling in llama.cpp's words.
 *
 * Same prompt, seed and batches → same output, and temperature 0 takes the likeliest token whatever the seed. But llama.cpp adds
 * up in another order in a batch of another size: log-probabilities move by about 1e-5, so that a near tie may fall the other
 * way in company than alone. No setting of this engine prevents that.
 */
import { randomInt } from 'node:crypto'
import type { SequenceEvaluateOptions, Token } from 'node-llama-cpp'
import type { Sampling } from './protocol.ts'
import type { EngineModel } from './sequence.ts'

/** Defaults of llama.cpp's own server: what people compare with. */
export const DEFAULTS = { temperature: 0.8, top_p: 0.95, top_k: 40, min_p: 0.05 }

/** Penalties look this far back. llama.cpp looks at 64; API users expect the whole answer; both cost the same at this size. */
export const PENALTY_WINDOW = 256

/** 2³² − 1 means "choose one" to llama.cpp, so seeds are taken modulo that. */
const SEEDS = 4_294_967_295

/** Left out, node-llama-cpp would take the second of the day: two requests in it would get the same answer. */
export const seedOf = ({ seed }: Sampling): number =>
  seed === undefined ? randomInt(SEEDS) : ((seed % SEEDS) + SEEDS) % SEEDS

/** `made`: the tokens sampled so far, of which penalties see the last ones. */
export function evaluateOptions(sampling: Sampling, made: () => Token[]): SequenceEvaluateOptions {
  const { presence_penalty = 0, frequency_penalty = 0 } = sampling
  return {
    temperature: sampling.temperature ?? DEFAULTS.temperature,
    topP: sampling.top_p ?? DEFAULTS.top_p,
    topK: Math.max(0, sampling.top_k ?? DEFAULTS.top_k),
    minP: sampling.min_p ?? DEFAULTS.min_p,
    seed: seedOf(sampling),
    yieldEogToken: true,
    ...(presence_penalty === 0 && frequency_penalty === 0
      ? {}
      : {
          repeatPenalty: {
            punishTokens: made,
            maxPunishTokens: PENALTY_WINDOW,
            penalty: 1,
            presencePenalty: presence_penalty,
            frequencyPenalty: frequency_penalty,
          },
        }),
  }
}

/** What is wrong with a bias, in words: a token that there is not, or an end token, whose logit node-llama-cpp leaves alone. */
export function strangeBias(
  { vocabulary, isEnd }: Pick<EngineModel, 'vocabulary' | 'isEnd'>,
  { logit_bias = {} }: Sampling,
): string | undefined {
  const strange = Object.keys(logit_bias).find((token) => Number(token) >= vocabulary || isEnd(Number(token)))
  if (strange === undefined) return undefined
  return Number(strange) >= vocabulary
    ? `"logit_bias": the model has ${vocabulary} tokens, no ${strange}`
    : `"logit_bias": ${strange} ends an answer, and cannot be biased`
}
