import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { ChatMessage, Sampling, Tools } from '../llama/protocol.ts'
import { grammarOf } from './format.ts'
import { reasoningOf } from './presets/reasoning.ts'
import type { ApiRequest } from './request.ts'
import { callsOf, toolsOf } from './tools.ts'

/** What the engine host is asked to do, without the id and the model's name. */
export interface EmbeddedAsk {
  readonly messages?: readonly ChatMessage[]
  readonly text?: string
  readonly max_tokens?: number
  readonly stop?: readonly string[]
  readonly sampling: Sampling
  readonly tools?: Tools
  readonly grammar?: string
  readonly alternatives?: number
  readonly thinking?: false
}

/** Of a request that `unsupported` had nothing against. */
export function embeddedAsk(request: ApiRequest): EmbeddedAsk {
  const { body, maxOutput } = request
  const stop = typeof body.stop === 'string' ? [body.stop] : (body.stop as readonly string[] | null | undefined)
  return {
    ...(request.dialect === 'chat'
      ? { messages: (body.messages as readonly JsonObject[]).map(plainMessage), ...toolsOf(body) }
      : { text: promptText(body.prompt) ?? '' }),
    ...(maxOutput === undefined ? legacyLimit(request) : { max_tokens: maxOutput }),
    ...(stop?.length ? { stop } : {}),
    sampling: samplingOf(body),
    ...grammarOf(body.response_format),
    ...alternativesOf(request),
    ...((request.reasoning ?? reasoningOf(body))?.on === false && { thinking: false as const }),
  }
}

/** One prompt, as text; undefined: it is another. */
export function promptText(prompt: unknown): string | undefined {
  const one: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  return typeof one === 'string' ? one : undefined
}

/** /v1/completions stops after 16 tokens unless told otherwise: its clients rely on it. Chat has no such limit. */
const legacyLimit = (request: ApiRequest): { readonly max_tokens?: number } =>
  request.dialect === 'text' ? { max_tokens: 16 } : {}

const plainMessage = (message: JsonObject): ChatMessage => ({
  role: String(message.role),
  content: Array.isArray(message.content)
    ? (message.content as readonly JsonObject[]).map((part) => String(part.text)).join('')
    : String(message.content ?? ''),
  ...callsOf(message),
})

const samplingFields = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
] as const satisfies readonly (keyof Sampling)[]

const samplingOf = (body: JsonObject): Sampling =>
  Object.fromEntries(
    samplingFields.flatMap((field) => {
      const value = body[field]
      return typeof value === 'number' || isObject(value) ? [[field, value]] : []
    }),
  )

/** Chat says `logprobs: true` and how many in `top_logprobs`; completions say how many in `logprobs`. */
function alternativesOf({ dialect, body }: ApiRequest): { readonly alternatives?: number } {
  if (dialect === 'text') return typeof body.logprobs === 'number' ? { alternatives: body.logprobs } : {}
  return body.logprobs === true ? { alternatives: Number(body.top_logprobs ?? 0) } : {}
}
