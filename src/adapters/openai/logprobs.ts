import type { TokenLikelihood } from '../llama/protocol.ts'
import type { ChatLogprobs, ChatToken, TextLogprobs } from './wire.ts'

/** Log-probabilities as chat has them: an object a token. */
export const chatLogprobs = (tokens: readonly TokenLikelihood[] | undefined): ChatLogprobs | null =>
  tokens && tokens.length > 0 ? { content: tokens.map(chatToken), refusal: null } : null

/** As completions has them: four lists, in one of which is where in the answer each token begins. */
export class TextLikelihoods {
  readonly #decoder = new TextDecoder()
  #offset = 0

  /** Of the next tokens of an answer. */
  of(tokens: readonly TokenLikelihood[] | undefined): TextLogprobs | null {
    if (!tokens || tokens.length === 0) return null
    return {
      tokens: tokens.map(textOf),
      token_logprobs: tokens.map(({ logprob }) => logprob),
      top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map((one) => [textOf(one), one.logprob]))),
      text_offset: tokens.map((token) => {
        const offset = this.#offset
        this.#offset += this.#decoder.decode(Uint8Array.from(token.bytes), { stream: true }).length
        return offset
      }),
    }
  }
}

const chatToken = ({ top, ...token }: TokenLikelihood): ChatToken => ({
  ...named(token),
  top_logprobs: top.map(named),
})

const named = (one: Omit<TokenLikelihood, 'top'>) => ({ token: textOf(one), logprob: one.logprob, bytes: one.bytes })

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A token may hold a part of a character only: then its bytes are written out, as OpenAI does. */
function textOf({ bytes }: { readonly bytes: readonly number[] }): string {
  try {
    return decoder.decode(Uint8Array.from(bytes))
  } catch {
    return `bytes:${bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`
  }
}
