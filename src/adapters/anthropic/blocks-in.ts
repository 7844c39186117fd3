/** The parts of a request in Anthropic's language: what of them is malformed, whichever engine is to read it. */
import type { Refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { invalid } from '../openai/fields.ts'

/** Anthropic's own bound. */
const mostMessages = 100_000
/** A tool's description is read with every prompt: more than this are a mistake. */
const mostTools = 1024

const roles = ['user', 'assistant', 'system'] as const
export type MessagesRole = (typeof roles)[number]

/** A text, or blocks of text. */
export function wrongSystem(system: unknown): Refusal | undefined {
  if (system === undefined || system === null || typeof system === 'string') return undefined
  if (!Array.isArray(system)) return invalid('system', '"system" must be a string or an array of text blocks')
  const bad = system.findIndex((block) => !isObject(block) || block.type !== 'text' || typeof block.text !== 'string')
  return bad === -1 ? undefined : invalid(`system[${bad}]`, `"system[${bad}]" must be {"type": "text", "text": "…"}`)
}

export function wrongMessages(messages: unknown): Refusal | undefined {
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
  if (!roles.some((role) => role === message.role))
    return invalid(`${at}.role`, `"${at}.role" must be user, assistant or system`)
  const { content } = message
  if (typeof content === 'string') return undefined
  if (!Array.isArray(content))
    return invalid(`${at}.content`, `"${at}.content" must be a string or an array of content blocks`)
  for (const [index, block] of content.entries()) {
    const where = `${at}.content[${index}]`
    const expected = isObject(block) ? unlike(block) : 'a content block such as {"type": "text", "text": "…"}'
    if (expected) return invalid(where, `"${where}" must be ${expected}`)
  }
  return undefined
}

/** In words what a block must be; undefined: it is, or it is of a type that only the engine knows. */
function unlike(block: JsonObject): string | undefined {
  switch (block.type) {
    case 'text':
      return typeof block.text === 'string' ? undefined : '{"type": "text", "text": "…"}'
    case 'image':
      return isSource(block.source) ? undefined : 'an image with a "source" of type base64, url or file'
    case 'tool_use':
      return typeof block.id === 'string' && typeof block.name === 'string' && isObject(block.input)
        ? undefined
        : 'a use of a tool with "id", "name" and an object "input"'
    case 'tool_result':
      return typeof block.tool_use_id === 'string' && isResult(block.content)
        ? undefined
        : 'a result with "tool_use_id" and a "content" that is a string or an array of blocks'
    default:
      return typeof block.type === 'string' ? undefined : 'a content block with a "type"'
  }
}

const isSource = (source: unknown): boolean =>
  isObject(source) &&
  ((source.type === 'base64' && typeof source.data === 'string' && typeof source.media_type === 'string') ||
    (source.type === 'url' && typeof source.url === 'string') ||
    source.type === 'file')

const isResult = (content: unknown): boolean =>
  content === undefined ||
  content === null ||
  typeof content === 'string' ||
  (Array.isArray(content) &&
    content.every((block) => isObject(block) && typeof block.type === 'string' && unlike(block) === undefined))

const choices = ['auto', 'any', 'tool', 'none'] as const
export type ToolChoiceType = (typeof choices)[number]

export function wrongTools({ tools, tool_choice }: JsonObject): Refusal | undefined {
  const all: readonly unknown[] = Array.isArray(tools) ? tools : []
  if (all.length > mostTools) return invalid('tools', `"tools" may hold ${mostTools} tools at most`)
  for (const [index, tool] of all.entries()) {
    const at = `tools[${index}]`
    if (!isObject(tool)) return invalid(at, `"${at}" must be an object`)
    if (!isOwn(tool)) continue
    if (typeof tool.name !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(tool.name))
      return invalid(`${at}.name`, `"${at}.name" must be letters, digits, "_", "-" and "."`)
    if (!isObject(tool.input_schema)) return invalid(`${at}.input_schema`, `"${at}.input_schema" must be a JSON Schema`)
  }
  return isObject(tool_choice) ? wrongChoice(tool_choice, all) : undefined
}

/** A tool of the client's own, not one that Anthropic has defined. */
export const isOwn = (tool: JsonObject): boolean =>
  tool.type === undefined || tool.type === null || tool.type === 'custom'

function wrongChoice(choice: JsonObject, tools: readonly unknown[]): Refusal | undefined {
  if (!choices.some((type) => type === choice.type))
    return invalid('tool_choice.type', '"tool_choice.type" must be auto, any, tool or none')
  if (choice.type !== 'none' && tools.length === 0) return invalid('tool_choice', '"tool_choice" needs "tools"')
  if (choice.type === 'tool' && !tools.some((tool) => isObject(tool) && tool.name === choice.name))
    return invalid('tool_choice.name', '"tool_choice.name" is none of the tools')
  return undefined
}
