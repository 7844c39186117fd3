import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { ChatMessage, Sampling } from '../llama/protocol.ts'
import type { ApiRequest } from './request.ts'

/**
 * What the embedded engine cannot do, and so must not seem to: an ignored `tools` or `logprobs` would look like an
 * answer. The value that changes nothing is let pass.
 */
const harmless: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  best_of: (value) => value === 1,
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === 'none',
  functions: (value) => Array.isArray(value) && value.length === 0,
  function_call: (value) => value === 'none',
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  response_format: (value) => isObject(value) && value.type === 'text',
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  audio: () => false,
  echo: (value) => value === false,
  suffix: (value) => value === '',
}

/** The first thing asked for that the embedded engine cannot do. */
export function unsupported(request: ApiRequest): Refusal | undefined {
  for (const [param, isHarmless] of Object.entries(harmless)) {
    const value = request.body[param]
    if (value === undefined || value === null || isHarmless(value)) continue
    return refusal('unsupported_parameter', `the embedded engine does not support this value of "${param}"`, { param })
  }
  return request.dialect === 'chat' ? strangePart(request.body.messages) : strangePrompt(request.body.prompt)
}

function strangePart(messages: unknown): Refusal | undefined {
  for (const [index, message] of (messages as readonly JsonObject[]).entries()) {
    if (!Array.isArray(message.content)) continue
    const part = (message.content as readonly JsonObject[]).findIndex((one) => one.type !== 'text')
    if (part === -1) continue
    const param = `messages[${index}].content[${part}]`
    return refusal('unsupported_parameter', `the embedded engine reads text only, and "${param}" is none`, { param })
  }
  return undefined
}

const strangePrompt = (prompt: unknown): Refusal | undefined =>
  promptText(prompt) === undefined
    ? refusal('unsupported_parameter', 'the embedded engine takes one prompt, as text', { param: 'prompt' })
    : undefined

function promptText(prompt: unknown): string | undefined {
  const one: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  return typeof one === 'string' ? one : undefined
}

/** What the engine host is asked to do, without the id and the model's name. */
export interface EmbeddedAsk {
  readonly messages?: readonly ChatMessage[]
  readonly text?: string
  readonly max_tokens?: number
  readonly stop?: readonly string[]
  readonly sampling: Sampling
}

/** Of a request that `unsupported` had nothing against. */
export function embeddedAsk(request: ApiRequest): EmbeddedAsk {
  const { body, maxOutput } = request
  const stop = typeof body.stop === 'string' ? [body.stop] : (body.stop as readonly string[] | null | undefined)
  return {
    ...(request.dialect === 'chat'
      ? { messages: (body.messages as readonly JsonObject[]).map(plainMessage) }
      : { text: promptText(body.prompt) ?? '' }),
    ...(maxOutput === undefined ? legacyLimit(request) : { max_tokens: maxOutput }),
    ...(stop?.length ? { stop } : {}),
    sampling: samplingOf(body),
  }
}

/** /v1/completions stops after 16 tokens unless told otherwise: its clients rely on it. Chat has no such limit. */
const legacyLimit = (request: ApiRequest): { readonly max_tokens?: number } =>
  request.dialect === 'text' ? { max_tokens: 16 } : {}

const plainMessage = (message: JsonObject): ChatMessage => ({
  role: String(message.role),
  content: Array.isArray(message.content)
    ? (message.content as readonly JsonObject[]).map((part) => String(part.text)).join('')
    : String(message.content ?? ''),
})

const samplingFields = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'presence_penalty',
  'frequency_penalty',
] as const satisfies readonly (keyof Sampling)[]

const samplingOf = (body: JsonObject): Sampling =>
  Object.fromEntries(samplingFields.flatMap((field) => (typeof body[field] === 'number' ? [[field, body[field]]] : [])))
