import type { WireUsage } from '../../lines/inference/wire-usage.ts'
import type { wattmillObject } from './receipt.ts'

/**
 * OpenAI's API as we write it: chat, completions, embeddings, models, files, batches. That OpenAI's own types take all of it is checked in
 * `deep/openai-types.ts`. Types and not interfaces, so that each is a JSON object to whoever passes it on.
 */

type Framed<Kind extends string> = {
  readonly id: string
  readonly object: Kind
  readonly created: number
  readonly model: string
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

type TokenLogprob = { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] }
export type ChatToken = TokenLogprob & { readonly top_logprobs: readonly TokenLogprob[] }
export type ChatLogprobs = { readonly content: readonly ChatToken[]; readonly refusal: null }

export type TextLogprobs = {
  readonly tokens: readonly string[]
  readonly token_logprobs: readonly number[]
  readonly top_logprobs: readonly Readonly<Record<string, number>>[]
  readonly text_offset: readonly number[]
}

export type ToolCall = {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

export type ChatMessage = {
  readonly role: 'assistant'
  readonly content: string | null
  readonly refusal: string | null
  /** DeepSeek's name, which most clients know. */
  readonly reasoning_content?: string
  readonly tool_calls?: readonly ToolCall[]
}

export type ChatChoice = {
  readonly index: number
  readonly message: ChatMessage
  readonly logprobs: ChatLogprobs | null
  readonly finish_reason: FinishReason
}

export type ChatCompletion = Framed<'chat.completion'> & {
  readonly choices: readonly ChatChoice[]
  readonly usage?: WireUsage
}

export type ToolCallDelta = {
  readonly index: number
  readonly id?: string
  readonly type?: 'function'
  readonly function: { readonly name?: string; readonly arguments?: string }
}

export type ChatDelta = {
  readonly role?: 'assistant'
  readonly content?: string
  readonly reasoning_content?: string
  readonly tool_calls?: readonly ToolCallDelta[]
}

export type ChatChunkChoice = {
  readonly index: number
  readonly delta: ChatDelta
  readonly logprobs: ChatLogprobs | null
  readonly finish_reason: FinishReason | null
}

/** `usage`: null on every chunk but the last, where it was asked for. */
export type ChatChunk = Framed<'chat.completion.chunk'> & {
  readonly choices: readonly ChatChunkChoice[]
  readonly usage?: WireUsage | null
  readonly wattmill?: WattmillObject
}

type WattmillObject = ReturnType<typeof wattmillObject>

export type TextChoice = {
  readonly index: number
  readonly text: string
  readonly logprobs: TextLogprobs | null
  readonly finish_reason: 'stop' | 'length'
}

export type TextCompletion = Framed<'text_completion'> & {
  readonly choices: readonly TextChoice[]
  readonly usage?: WireUsage
}

/** Chunks of a completion, which their own API calls completions too: what is not known yet is null. */
export type TextChunk = Framed<'text_completion'> & {
  readonly choices: readonly (Omit<TextChoice, 'finish_reason'> & {
    readonly finish_reason: TextChoice['finish_reason'] | null
  })[]
  readonly usage?: WireUsage | null
  readonly wattmill?: WattmillObject
}

/** A vector as numbers, or as base64. */
export type Embedding<Vector = readonly number[] | string> = {
  readonly object: 'embedding'
  readonly index: number
  readonly embedding: Vector
}

export type Embeddings<Vector = readonly number[] | string> = {
  readonly object: 'list'
  readonly data: readonly Embedding<Vector>[]
  readonly model: string
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number }
}

export type Model = {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: string
}

export type FileObject = {
  readonly id: string
  readonly object: 'file'
  readonly bytes: number
  readonly created_at: number
  readonly expires_at: number
  readonly filename: string
  readonly purpose: 'batch' | 'batch_output'
  readonly status: 'processed'
}

export type FileDeleted = { readonly id: string; readonly object: 'file'; readonly deleted: true }

type BatchTimes =
  | 'in_progress_at'
  | 'finalizing_at'
  | 'completed_at'
  | 'failed_at'
  | 'expired_at'
  | 'cancelling_at'
  | 'cancelled_at'

/** What did not happen is not in it. */
export type BatchObject = { readonly [Time in BatchTimes]?: number } & {
  readonly id: string
  readonly object: 'batch'
  readonly endpoint: string
  readonly errors?: { readonly object: 'list'; readonly data: readonly BatchFault[] }
  readonly input_file_id: string
  readonly completion_window: string
  readonly status:
    | 'validating'
    | 'failed'
    | 'in_progress'
    | 'finalizing'
    | 'completed'
    | 'expired'
    | 'cancelling'
    | 'cancelled'
  readonly output_file_id?: string
  readonly error_file_id?: string
  readonly created_at: number
  readonly expires_at: number
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number }
  readonly metadata: Readonly<Record<string, string>> | null
}

type BatchFault = {
  readonly code: string
  readonly message: string
  readonly line: number | null
  readonly param: string | null
}

/** A list, and a page of one. */
export type List<Of> = { readonly object: 'list'; readonly data: readonly Of[] }
export type Page<Of> = List<Of> & {
  readonly first_id: string | null
  readonly last_id: string | null
  readonly has_more: boolean
}
