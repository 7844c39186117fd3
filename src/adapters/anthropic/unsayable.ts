/** What a request in OpenAI's language asks for that Anthropic's has no words for: refused, never dropped. */
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { invalid } from '../openai/fields.ts'
import { isCall } from '../openai/tools.ts'

const unsupported = (param: string, why = 'an engine with the API of Anthropic does not have this'): Refusal =>
  refusal('unsupported_parameter', `"${param}": ${why}`, { param })

/** The value that changes nothing is let pass. */
const harmless: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  min_p: (value) => value === 0,
  functions: (value) => Array.isArray(value) && value.length === 0,
  function_call: (value) => value === 'none',
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  audio: () => false,
  web_search_options: () => false,
  response_format: (value) => isObject(value) && (value.type === 'text' || value.type === 'json_schema'),
}

/** The first such thing in a chat request that `parseRequest` had nothing against. */
export function unsayable(body: JsonObject): Refusal | undefined {
  for (const [param, isHarmless] of Object.entries(harmless)) {
    const value = body[param]
    if (value !== undefined && value !== null && !isHarmless(value)) return unsupported(param)
  }
  const tools = Array.isArray(body.tools) ? body.tools : []
  const tool = tools.findIndex((one) => !isObject(one) || one.type !== 'function' || !isObject(one.function))
  if (tool !== -1) return unsupported(`tools[${tool}].type`, 'tools must be of type "function"')
  const { tool_choice: choice } = body
  const known = ['auto', 'none', 'required', undefined, null].includes(choice as string)
  if (!known && !(isObject(choice) && isObject(choice.function))) return unsupported('tool_choice')
  for (const [index, message] of (body.messages as readonly JsonObject[]).entries()) {
    const strange = strangeMessage(`messages[${index}]`, message)
    if (strange) return strange
  }
  return undefined
}

const roles: readonly unknown[] = ['system', 'developer', 'user', 'assistant', 'tool']

function strangeMessage(at: string, message: JsonObject): Refusal | undefined {
  const { role, content, tool_calls } = message
  if (!roles.includes(role)) return unsupported(`${at}.role`, 'a message is of system, user, assistant or tool')
  if (role === 'tool' && typeof message.tool_call_id !== 'string')
    return invalid(`${at}.tool_call_id`, `"${at}.tool_call_id" must say which call is answered`)
  for (const [index, call] of (Array.isArray(tool_calls) ? tool_calls : []).entries()) {
    const where = `${at}.tool_calls[${index}]`
    if (!isCall(call)) return invalid(where, `"${where}" must be a call of a function with id, name and arguments`)
    if (!argumentsOf(call)) return invalid(where, `the arguments of "${where}" must be a JSON object`)
  }
  if (!Array.isArray(content)) return undefined
  const part = (content as readonly JsonObject[]).findIndex((one) => !isSayable(one, role))
  return part === -1 ? undefined : unsupported(`${at}.content[${part}]`)
}

function isSayable(part: JsonObject, role: unknown): boolean {
  if (part.type === 'text' || (part.type === 'refusal' && role === 'assistant')) return true
  return part.type === 'image_url' && role === 'user' && imageSource(part) !== undefined
}

/** What a call's text says; undefined: no object. */
export function argumentsOf(call: JsonObject): JsonObject | undefined {
  const { arguments: text } = call.function as JsonObject
  try {
    const value: unknown = text === '' ? {} : JSON.parse(String(text))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** An image by address, or in it. */
export function imageSource({ image_url }: JsonObject): JsonObject | undefined {
  const url = isObject(image_url) ? image_url.url : image_url
  if (typeof url !== 'string') return undefined
  const [, media_type, data] = /^data:(image\/[a-z0-9.+-]+);base64,(.+)$/is.exec(url) ?? []
  if (media_type !== undefined) return { type: 'base64', media_type, data }
  return /^https?:\/\//i.test(url) ? { type: 'url', url } : undefined
}
