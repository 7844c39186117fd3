import type { Usage } from '../../../books/usage.ts'
import type { Refusal } from '../../../lines/inference/errors.ts'
import { errorCatalogue } from '../../../lines/inference/errors.ts'
import { wireUsage } from '../../../lines/inference/wire-usage.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { Identity } from '../reply.ts'
import type { ResponsesAsk } from './ask.ts'
import { reasoningAsked } from './ask.ts'
import type { ResponsesUsage, WireResponse } from './wire.ts'

/** The response as it stands at its beginning: nothing is said yet. */
export function begunResponse({ body, store, previous }: ResponsesAsk, { id, created, model }: Identity): WireResponse {
  const { format, ...more } = isObject(body.text) ? body.text : {}
  return {
    id,
    access_programs: null,
    object: 'response',
    created_at: created,
    completed_at: null,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: typeof body.instructions === 'string' ? body.instructions : null,
    max_output_tokens: numberIn(body.max_output_tokens),
    max_tool_calls: numberIn(body.max_tool_calls),
    metadata: (body.metadata ?? {}) as Readonly<Record<string, string>>,
    model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls !== false,
    previous_response_id: previous ?? null,
    reasoning: reasoningAsked(body),
    service_tier: body.service_tier ?? null,
    store,
    temperature: numberIn(body.temperature),
    text: { ...more, format: format ?? { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: (body.tools ?? []) as readonly JsonObject[],
    top_logprobs: numberIn(body.top_logprobs) ?? 0,
    top_p: numberIn(body.top_p),
    truncation: 'disabled',
    usage: null,
  }
}

const numberIn = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** Usage in the words of Responses; the details are parts of their wholes. Null when nobody knows. */
export function responsesUsage(usage: Usage): ResponsesUsage | null {
  const shown = wireUsage(usage)
  return (
    shown && {
      input_tokens: shown.prompt_tokens,
      input_tokens_details: {
        cached_tokens: shown.prompt_tokens_details.cached_tokens,
        cache_write_tokens: usage.cache_write?.tokens ?? 0,
      },
      output_tokens: shown.completion_tokens,
      output_tokens_details: shown.completion_tokens_details,
      total_tokens: shown.total_tokens,
    }
  )
}

/** OpenAI's list of reasons is closed; ours stands in the error event, and in the message. */
export const failedWith = ({ code }: Refusal, message: string): NonNullable<WireResponse['error']> => ({
  code: errorCatalogue[code].status === 429 ? 'rate_limit_exceeded' : 'server_error',
  message,
})
