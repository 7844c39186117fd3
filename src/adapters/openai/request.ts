import type { Refusal } from '../../lines/inference/errors.ts'
import type { ModelId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Tokens } from '../../units/quantity.ts'
import { tokens } from '../../units/quantity.ts'
import { wrongInput } from './embeddings-input.ts'
import { invalid, wrongField } from './fields.ts'
import type { Reasoning } from './presets/reasoning.ts'

/** What is asked for, and in whose words: the next turn of a conversation, text that goes on, vectors; a turn, as Anthropic has it. */
export type Dialect = 'chat' | 'text' | 'embeddings' | 'messages'

/** A checked request. `body` is the client's own, for engines that speak the same language. */
export interface ApiRequest {
  readonly dialect: Dialect
  readonly model: ModelId
  readonly stream: boolean
  /** The client asked for the usage chunk; without it a stream carries none. */
  readonly includeUsage: boolean
  readonly maxOutput: Tokens | undefined
  /** About four bytes a token; each non-text part counts as a thousand. Only for reserving. */
  readonly promptEstimate: Tokens
  readonly body: JsonObject
  /** The same in OpenAI's language or in Anthropic's, where it came in the other and some engine of its model needs it. */
  readonly chat?: JsonObject
  readonly messages?: JsonObject
  /** How much may be thought before the answer, where that was said in Anthropic's words: a chat's body says it itself. */
  readonly reasoning?: Reasoning
  /** Features of Anthropic's API that its client asked for by a header. */
  readonly betas?: string
}

/** A request as engines with OpenAI's API read it. */
export const inChat = (request: ApiRequest): ApiRequest =>
  request.chat ? { ...request, dialect: 'chat', body: request.chat } : request

export type ParsedRequest =
  | { readonly ok: true; readonly request: ApiRequest }
  | { readonly ok: false; readonly refusal: Refusal }

/** Checks what the gateway must understand; the rest is the engine's to judge. */
export function parseRequest(dialect: Dialect, body: JsonObject): ParsedRequest {
  const wrong = wrongModel(body.model) ?? wrongField(body) ?? wrongPrompt(dialect, body)
  if (wrong) return { ok: false, refusal: wrong }
  const options = isObject(body.stream_options) ? body.stream_options : {}
  const limit = body.max_completion_tokens ?? body.max_tokens
  return {
    ok: true,
    request: {
      dialect,
      model: id<ModelId>(String(body.model)),
      stream: body.stream === true && dialect !== 'embeddings',
      includeUsage: options.include_usage === true,
      maxOutput: dialect === 'embeddings' ? tokens(0) : typeof limit === 'number' ? tokens(limit) : undefined,
      promptEstimate: estimateOf(dialect, body),
      body,
    },
  }
}

export const wrongModel = (model: unknown): Refusal | undefined =>
  typeof model === 'string' && model.length > 0 && model.length <= 200
    ? undefined
    : invalid('model', '"model" must be the name of a model')

/** About four bytes a token, for a whole prompt. */
export const estimateOf = (dialect: Dialect, body: JsonObject): Tokens => estimate(promptOf(dialect, body))

function promptOf(dialect: Dialect, body: JsonObject): unknown {
  if (dialect === 'embeddings') return body.input
  return dialect === 'text' ? body.prompt : [body.system, body.messages, body.tools]
}

/** A prompt as it is taken, by the language that it is in; what else stands in it is the engine's to read. */
export interface Prompts {
  readonly chat: { readonly messages: readonly PromptMessage[] }
  readonly text: { readonly prompt: Prompt | readonly Prompt[] }
  readonly embeddings: { readonly input: Prompt | readonly Prompt[] }
}

/** A text, a token, or the tokens of a text. */
type Prompt = string | number | readonly number[]

export interface PromptMessage {
  readonly role: string
  readonly content?: string | null | readonly PromptPart[]
}

interface PromptPart {
  readonly type: string
  readonly text?: string
}

function wrongPrompt(dialect: Dialect, body: JsonObject): Refusal | undefined {
  if (dialect === 'embeddings') return wrongInput(body.input)
  return dialect === 'chat' ? wrongMessages(body.messages) : wrongText(body.prompt)
}

/** Longer conversations than any context holds are mistakes. */
const mostMessages = 10_000

function wrongMessages(messages: unknown): Refusal | undefined {
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > mostMessages)
    return invalid('messages', `"messages" must be an array of 1 to ${mostMessages} messages`)
  for (const [index, message] of messages.entries()) {
    const wrong = wrongMessage(`messages[${index}]`, message)
    if (wrong) return wrong
  }
  return undefined
}

function wrongMessage(at: string, message: unknown): Refusal | undefined {
  if (!isObject(message)) return invalid(at, `"${at}" must be an object`)
  if (typeof message.role !== 'string' || !/^[A-Za-z_]{1,32}$/.test(message.role))
    return invalid(`${at}.role`, `"${at}.role" must be a word such as user`)
  const { content } = message
  if (content === null || content === undefined) {
    const calls = message.role === 'assistant' && (message.tool_calls ?? message.function_call ?? message.refusal)
    return calls ? undefined : invalid(`${at}.content`, `"${at}.content" must be a string or an array of parts`)
  }
  if (typeof content === 'string') return undefined
  if (!Array.isArray(content) || content.length === 0)
    return invalid(`${at}.content`, `"${at}.content" must be a string or an array of parts`)
  const bad = content.findIndex((part) => !isPart(part))
  return bad === -1
    ? undefined
    : invalid(`${at}.content[${bad}]`, `"${at}.content[${bad}]" must be a part such as {"type": "text", "text": "…"}`)
}

const isPart = (part: unknown): part is PromptPart =>
  isObject(part) && typeof part.type === 'string' && (part.type !== 'text' || typeof part.text === 'string')

function wrongText(prompt: unknown): Refusal | undefined {
  const fine = typeof prompt === 'string' || (Array.isArray(prompt) && prompt.length > 0 && prompt.every(isPrompt))
  return fine ? undefined : invalid('prompt', '"prompt" must be a string, or an array of strings or of tokens')
}

const isPrompt = (one: unknown): one is Prompt =>
  typeof one === 'string' || isTokenId(one) || (Array.isArray(one) && one.every(isTokenId))

const isTokenId = (one: unknown): one is number => Number.isSafeInteger(one) && Number(one) >= 0

/** More than this of a prompt tells no replica from another any better. */
const longestOpening = 128 * 1024

/** The text of a prompt from its start, as far as prefixes of it may lie in a cache. */
export function openingText({ dialect, body }: ApiRequest): string {
  if (dialect !== 'chat' && dialect !== 'messages')
    return typeof body.prompt === 'string' ? body.prompt.slice(0, longestOpening) : ''
  const system = dialect === 'messages' && body.system ? [{ role: 'system', content: body.system }] : []
  let text = ''
  for (const message of [...system, ...(body.messages as readonly JsonObject[])]) {
    text += `\n${String(message.role)}\n${typeof message.content === 'string' ? message.content : JSON.stringify(message.content)}`
    if (text.length >= longestOpening) return text.slice(0, longestOpening)
  }
  return text
}

const bytesPerToken = 4
const tokensOfPart = 1000

function estimate(prompt: unknown): Tokens {
  return tokens(Math.ceil(bytesOf(prompt) / bytesPerToken))
}

/** Bytes of all strings in it. An image as base64 would look like a novel, so a part that is no text has a fixed size. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value === 'number') return bytesPerToken
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + bytesOf(one), 0)
  if (!isObject(value)) return 0
  if (typeof value.type === 'string' && /image|audio|video|file|base64/.test(value.type))
    return tokensOfPart * bytesPerToken
  return Object.values(value).reduce((sum: number, one) => sum + bytesOf(one), 0)
}
