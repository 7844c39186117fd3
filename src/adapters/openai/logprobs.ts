import type { JsonObject } from '../../units/json.ts'
import type { TokenLikelihood } from '../llama/protocol.ts'
import type { Dialect } from './request.ts'

/** Log-probabilities in OpenAI's two shapes: chat has an object a token, completions has four lists. */
export class LogprobsRendering {
  readonly #dialect: Dialect
  readonly #decoder = new TextDecoder()
  #offset = 0

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** Of the next tokens of an answer. */
  of(tokens: readonly TokenLikelihood[]): JsonObject {
    return this.#dialect === 'chat' ? { content: tokens.map(chatToken), refusal: null } : this.#lists(tokens)
  }

  #lists(tokens: readonly TokenLikelihood[]): JsonObject {
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

const chatToken = ({ top, ...token }: TokenLikelihood): JsonObject => ({
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
