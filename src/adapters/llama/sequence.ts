/**
 * What the batcher needs from a model, and no more: `model.ts` gives it through node-llama-cpp, tests give a made one.
 * Tokens are plain numbers here.
 */
import type { Likelihood } from './likelihood.ts'
import type { Sampling } from './protocol.ts'

/** How the tokens of a generation are chosen. */
export interface Choosing {
  readonly sampling: Sampling
  readonly grammar?: string | undefined
  /** Set: likelihoods are told, with so many alternatives. */
  readonly alternatives?: number | undefined
}

export interface Sampled {
  readonly token: number
  readonly likelihood?: Likelihood
}

/** One lane of the batch with its own KV cache; at most one call at a time. */
export interface Sequence {
  /** Tokens whose keys and values the cache holds, in order. */
  held(): readonly number[]
  /**
   * False when the cache of this architecture (recurrent, hybrid) can be continued or dropped, but not cut in the middle.
   */
  readonly cuttable: boolean
  /** Drops everything from `length` on. */
  keep(length: number): Promise<void>
  /** Evaluates prompt tokens. */
  feed(tokens: readonly number[]): Promise<void>
  /** Evaluates the last prompt tokens and samples the first token of a generation. */
  first(tokens: readonly number[], choosing: Choosing): Promise<Sampled>
  /** Evaluates the token sampled last, samples the next. The grammar goes on, or begins when it is another than before. */
  next(grammar: string | undefined): Promise<Sampled>
  /** Ends the generation; the cache stays. */
  stop(): Promise<void>
}

/** A model that makes vectors of texts. */
export interface EmbeddingModel {
  readonly makes: 'vectors'
  /** Tokens of the longest text. */
  readonly contextLength: number
  readonly parameters: number
  /** Numbers in a vector. */
  readonly dimensions: number
  readonly vocabulary: number
  tokenise(text: string): readonly number[]
  /** Tokens that are evaluated: with those that begin and end a text. */
  size(tokens: readonly number[]): number
  /** A vector of length one. */
  embed(tokens: readonly number[]): Promise<Float32Array>
  dispose(): Promise<void>
}

/** A model that makes text. */
export interface EngineModel {
  readonly makes: 'text'
  /** Tokens one sequence can hold, prompt and output together. */
  readonly contextLength: number
  readonly parameters: number
  readonly sequences: readonly Sequence[]
  /**
   * `whole`: a text from its beginning, special texts become special tokens. The other two are pieces from inside a text, so
   * no space is put before their first word: `special` parses special texts, `plain` leaves them text.
   */
  tokenise(text: string, as: 'whole' | 'special' | 'plain'): readonly number[]
  /** `special`: with the texts of special tokens, which are not meant for readers. */
  detokenise(tokens: readonly number[], before: readonly number[], special?: boolean): string
  bytesOf(token: number): Uint8Array
  /** Tokens there are: the first is 0. */
  readonly vocabulary: number
  /** Does this token end a generation? A model may have several. */
  isEnd(token: number): boolean
  /** Set when the model wants a prompt to begin with it. */
  readonly begin: number | undefined
  /** `tokenizer.chat_template` of the file. */
  readonly template: string | undefined
  /** What templates call `bos_token` and `eos_token`. */
  readonly beginText: string
  readonly endText: string
  /** Texts that `parse_special` turns into control tokens. */
  readonly specialTexts: readonly string[]
  dispose(): Promise<void>
}
