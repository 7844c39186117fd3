import type { JsonObject } from '../../../units/json.ts'

/** The Responses API as we write it. That OpenAI's own types take all of it is checked in `deep/openai-types.ts`. */

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

export interface Likelihood {
  readonly token: string
  readonly bytes: readonly number[]
  readonly logprob: number
  readonly top_logprobs: readonly Omit<Likelihood, 'top_logprobs'>[]
}

export interface OutputText {
  readonly type: 'output_text'
  readonly text: string
  readonly annotations: readonly never[]
  readonly logprobs: readonly Likelihood[]
}

export interface OutputRefusal {
  readonly type: 'refusal'
  readonly refusal: string
}

export interface ReasoningText {
  readonly type: 'reasoning_text'
  readonly text: string
}

export interface SummaryText {
  readonly type: 'summary_text'
  readonly text: string
}

export interface OutputMessage {
  readonly id: string
  readonly type: 'message'
  readonly status: ItemStatus
  readonly role: 'assistant'
  readonly content: readonly (OutputText | OutputRefusal)[]
}

export interface OutputReasoning {
  readonly id: string
  readonly type: 'reasoning'
  readonly status: ItemStatus
  readonly summary: readonly SummaryText[]
  readonly content: readonly ReasoningText[]
}

export interface OutputCall {
  readonly id: string
  readonly type: 'function_call'
  readonly status: ItemStatus
  readonly call_id: string
  readonly name: string
  readonly arguments: string
}

export type OutputItem = OutputMessage | OutputReasoning | OutputCall

export interface ResponsesUsage {
  readonly input_tokens: number
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number }
  readonly output_tokens: number
  readonly output_tokens_details: { readonly reasoning_tokens: number }
  readonly total_tokens: number
}

export interface WireResponse {
  readonly id: string
  /** Of OpenAI's own programs: none here. */
  readonly access_programs: null
  readonly object: 'response'
  readonly created_at: number
  readonly completed_at: number | null
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  readonly background: false
  readonly error: { readonly code: 'server_error' | 'rate_limit_exceeded'; readonly message: string } | null
  readonly incomplete_details: { readonly reason: 'max_output_tokens' | 'content_filter' } | null
  readonly instructions: string | null
  readonly max_output_tokens: number | null
  readonly max_tool_calls: number | null
  readonly metadata: Readonly<Record<string, string>>
  readonly model: string
  readonly output: readonly OutputItem[]
  readonly parallel_tool_calls: boolean
  readonly previous_response_id: string | null
  readonly reasoning: { readonly effort: unknown; readonly summary: unknown }
  readonly service_tier: unknown
  /** Whether it can be had again, and gone on from. */
  readonly store: boolean
  readonly temperature: number | null
  readonly text: { readonly format: unknown; readonly verbosity?: unknown }
  readonly tool_choice: unknown
  readonly tools: readonly JsonObject[]
  readonly top_logprobs: number
  readonly top_p: number | null
  readonly truncation: 'disabled'
  readonly usage: ResponsesUsage | null
  readonly wattmill?: JsonObject
}

interface OfItem {
  readonly output_index: number
  readonly item_id: string
}
type OfPart = OfItem & { readonly content_index: number }
type OfSummary = OfItem & { readonly summary_index: number }
type Part = OutputText | OutputRefusal | ReasoningText

/** What a stream tells, without its number. */
export type ResponseEvent =
  | {
      readonly type:
        | 'response.created'
        | 'response.in_progress'
        | 'response.completed'
        | 'response.incomplete'
        | 'response.failed'
      readonly response: WireResponse
    }
  | {
      readonly type: 'response.output_item.added' | 'response.output_item.done'
      readonly output_index: number
      readonly item: OutputItem
    }
  | (OfPart & { readonly type: 'response.content_part.added' | 'response.content_part.done'; readonly part: Part })
  | (OfPart & {
      readonly type: 'response.output_text.delta'
      readonly delta: string
      readonly logprobs: readonly Likelihood[]
    })
  | (OfPart & {
      readonly type: 'response.output_text.done'
      readonly text: string
      readonly logprobs: readonly Likelihood[]
    })
  | (OfPart & { readonly type: 'response.refusal.delta'; readonly delta: string })
  | (OfPart & { readonly type: 'response.refusal.done'; readonly refusal: string })
  | (OfPart & { readonly type: 'response.reasoning_text.delta'; readonly delta: string })
  | (OfPart & { readonly type: 'response.reasoning_text.done'; readonly text: string })
  | (OfSummary & {
      readonly type: 'response.reasoning_summary_part.added' | 'response.reasoning_summary_part.done'
      readonly part: SummaryText
    })
  | (OfSummary & { readonly type: 'response.reasoning_summary_text.delta'; readonly delta: string })
  | (OfSummary & { readonly type: 'response.reasoning_summary_text.done'; readonly text: string })
  | (OfItem & { readonly type: 'response.function_call_arguments.delta'; readonly delta: string })
  | (OfItem & {
      readonly type: 'response.function_call_arguments.done'
      readonly name: string
      readonly arguments: string
    })
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly param: string | null }
