import type { Source, Usage } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import type { AttemptId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import type { Tokens } from '../../units/quantity.ts'
import type { CallDelta, TokenLikelihood } from '../llama/protocol.ts'
import type { ApiRequest } from './request.ts'

/** One try of one engine. */
export interface Job {
  readonly id: AttemptId
  /** The engine's own name of the model. */
  readonly model: string
  readonly request: ApiRequest
}

/**
 * A piece of an answer on its way to the client. Our own engine makes text; an upstream's chunks and answers pass
 * through as they are, unknown fields too, but for id, model and usage. `chunk` and `whole` are in OpenAI's language,
 * `event` and `message` in Anthropic's: those come only where the client asked in it.
 */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly likelihoods?: readonly TokenLikelihood[] }
  | { readonly kind: 'calls'; readonly calls: readonly CallDelta[] }
  /** 32-bit floats, little-endian, as base64. */
  | { readonly kind: 'vector'; readonly index: number; readonly data: string }
  /** `stop`: the stop string that ended it. */
  | { readonly kind: 'finish'; readonly why: 'stop' | 'length'; readonly stop?: string }
  | { readonly kind: 'chunk'; readonly chunk: JsonObject }
  | { readonly kind: 'whole'; readonly body: JsonObject }
  | { readonly kind: 'event'; readonly event: JsonObject }
  | { readonly kind: 'message'; readonly body: JsonObject }

/** What an engine tells of an attempt: begun?, chunk*, then exactly one ended | failed. Never told within `generate`. */
export type Told =
  | { readonly kind: 'begun'; readonly input_uncached: Tokens; readonly cache_read: Tokens }
  | { readonly kind: 'chunk'; readonly tokens: Tokens; readonly bytes: readonly Piece[] }
  | { readonly kind: 'ended'; readonly usage: Usage | undefined }
  | { readonly kind: 'failed'; readonly failure: EngineFailure; readonly usage: Usage | undefined }

/** The attempt under way. All three may be called at any time and more than once. */
export interface Attempt {
  /** → ended | failed, soon. */
  cancel(): void
  /** A slow reader: stop reading, if this engine can be stopped. */
  pause(): void
  resume(): void
}

/** The size of a prompt, by who can know it. */
export type Counted =
  | { readonly kind: 'counted'; readonly tokens: Tokens; readonly source: Source }
  | { readonly kind: 'failed'; readonly failure: EngineFailure }

/** One replica, whatever speaks behind it. */
export interface Engine {
  generate(job: Job, told: (told: Told) => void): Attempt
  /** Tells once how many tokens a prompt has, within a bounded time. Absent: this engine cannot be asked. */
  count?(job: Job, told: (counted: Counted) => void): void
  close(): void
}
