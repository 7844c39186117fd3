import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { anyObject } from '../llama/grammar/gbnf.ts'
import { SchemaError } from '../llama/grammar/keywords.ts'
import { schemaGrammar } from '../llama/grammar/schema.ts'
import type { ChatMessage, Sampling } from '../llama/protocol.ts'
import { invalid } from './fields.ts'
import type { ApiRequest } from './request.ts'

/**
 * What the embedded engine cannot do, and so must not seem to: an ignored `tools` or `audio` would look like an
 * answer. The value that changes nothing is let pass.
 */
const harmless: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  best_of: (value) => value === 1,
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === 'none',
  functions: (value) => Array.isArray(value) && value.length === 0,
  function_call: (value) => value === 'none',
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  audio: () => false,
  echo: (value) => value === false,
  suffix: (value) => value === '',
}

/** The first thing asked for that the embedded engine cannot do. */
export function unsupported(request: ApiRequest): Refusal | undefined {
  const { body } = request
  for (const [param, isHarmless] of Object.entries(harmless)) {
    const value = body[param]
    if (value === undefined || value === null || isHarmless(value)) continue
    return refusal('unsupported_parameter', `the embedded engine does not support this value of "${param}"`, { param })
  }
  const strange = strangeFormat(body.response_format) ?? strangeBias(body.logit_bias) ?? strangeProbabilities(request)
  if (strange) return strange
  return request.dialect === 'chat' ? strangePart(body.messages) : strangePrompt(body.prompt)
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
  readonly grammar?: string
  readonly alternatives?: number
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
    ...grammarOf(body.response_format),
    ...alternativesOf(request),
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
  'logit_bias',
] as const satisfies readonly (keyof Sampling)[]

const samplingOf = (body: JsonObject): Sampling =>
  Object.fromEntries(
    samplingFields.flatMap((field) => {
      const value = body[field]
      return typeof value === 'number' || isObject(value) ? [[field, value]] : []
    }),
  )

/** What of a response format is malformed, or more than a grammar can promise. */
function strangeFormat(format: unknown): Refusal | undefined {
  if (format === undefined || format === null) return undefined
  const { type, json_schema } = isObject(format) ? format : {}
  if (!['text', 'json_object', 'json_schema'].includes(String(type)))
    return invalid('response_format.type', '"response_format.type" must be text, json_object or json_schema')
  if (type === 'json_schema' && !(isObject(json_schema) && isObject(json_schema.schema)))
    return invalid('response_format.json_schema', '"response_format.json_schema" must hold a "schema"')
  try {
    grammarOf(format)
    return undefined
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    const param = ['response_format.json_schema.schema', error.path].filter((part) => part !== '').join('.')
    return refusal('unsupported_parameter', `the embedded engine cannot hold to this schema: ${error.message}`, {
      param,
    })
  }
}

/** As many as OpenAI's documentation shows; each is looked at in every step. */
const mostBiases = 1024

function strangeBias(biases: unknown): Refusal | undefined {
  if (biases === undefined || biases === null) return undefined
  const fine = ([token, bias]: [string, unknown]): boolean =>
    /^\d{1,9}$/.test(token) && typeof bias === 'number' && Math.abs(bias) <= 100
  if (isObject(biases) && Object.keys(biases).length <= mostBiases && Object.entries(biases).every(fine))
    return undefined
  return invalid(
    'logit_bias',
    `"logit_bias" must be an object of at most ${mostBiases} token numbers, each with a number from -100 to 100`,
  )
}

/** Throws `SchemaError`. */
function grammarOf(format: unknown): { readonly grammar?: string } {
  if (!isObject(format) || format.type === 'text') return {}
  if (format.type === 'json_object') return { grammar: anyObject() }
  const { json_schema } = format
  return { grammar: schemaGrammar(isObject(json_schema) ? json_schema.schema : undefined) }
}

/** OpenAI allows 20 alternatives; each token with that many is some 2 KB. */
const mostAlternatives = 20

/** Chat: `logprobs: true` and `top_logprobs`. Completions: `logprobs`, the number of alternatives. */
function strangeProbabilities({ dialect, body }: ApiRequest): Refusal | undefined {
  const count = (field: string): Refusal | undefined => {
    const value = body[field]
    const fine = value === undefined || value === null || (Number.isInteger(value) && Number(value) >= 0)
    if (!fine || Number(value) > mostAlternatives)
      return invalid(field, `"${field}" must be a whole number from 0 to ${mostAlternatives}`)
    return undefined
  }
  if (dialect === 'text') return count('logprobs')
  if (body.top_logprobs && body.logprobs !== true)
    return invalid('top_logprobs', '"top_logprobs" needs "logprobs": true')
  return count('top_logprobs')
}

function alternativesOf({ dialect, body }: ApiRequest): { readonly alternatives?: number } {
  if (dialect === 'text') return typeof body.logprobs === 'number' ? { alternatives: body.logprobs } : {}
  return body.logprobs === true ? { alternatives: Number(body.top_logprobs ?? 0) } : {}
}
