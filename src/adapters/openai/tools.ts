import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { schemaGrammar } from '../llama/grammar/schema.ts'
import type { ChatMessage, ToolSpec, Tools } from '../llama/protocol.ts'
import { invalid } from './fields.ts'
import { strangeSchema } from './format.ts'

/** OpenAI's own bound. */
const mostTools = 128

/** What of `tools` and `tool_choice` is malformed, or cannot be promised. */
export function strangeTools(body: JsonObject): Refusal | undefined {
  const tools: readonly unknown[] = Array.isArray(body.tools) ? body.tools : []
  if (tools.length > mostTools) return invalid('tools', `"tools" may hold ${mostTools} tools at most`)
  for (const [index, tool] of tools.entries()) {
    const strange = strangeTool(tool, `tools[${index}]`)
    if (strange) return strange
  }
  return strangeChoice(body.tool_choice, tools.map(specOf)) ?? unpromised(body)
}

function strangeTool(tool: unknown, at: string): Refusal | undefined {
  if (!isObject(tool)) return invalid(at, `"${at}" must be an object`)
  if (tool.type !== 'function')
    return refusal('unsupported_parameter', 'the embedded engine has tools of type "function" only', {
      param: `${at}.type`,
    })
  const { name, description, parameters } = isObject(tool.function) ? tool.function : {}
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(name))
    return invalid(`${at}.function.name`, `"${at}.function.name" must be letters, digits, "_", "-" and "."`)
  if (description !== undefined && description !== null && typeof description !== 'string')
    return invalid(`${at}.function.description`, `"${at}.function.description" must be a string`)
  if (parameters !== undefined && parameters !== null && !isObject(parameters))
    return invalid(`${at}.function.parameters`, `"${at}.function.parameters" must be a JSON Schema`)
  return undefined
}

function strangeChoice(choice: unknown, specs: readonly ToolSpec[]): Refusal | undefined {
  if (choice === undefined || choice === null || choice === 'none') return undefined
  const named = isObject(choice) && isObject(choice.function) ? choice.function.name : undefined
  if (choice !== 'auto' && choice !== 'required' && typeof named !== 'string')
    return invalid('tool_choice', '"tool_choice" must be none, auto, required or {"type": "function", "function": …}')
  if (specs.length === 0) return invalid('tool_choice', '"tool_choice" needs "tools"')
  if (typeof named === 'string' && !specs.some(({ name }) => name === named))
    return invalid('tool_choice', `"tool_choice" names a function that is not among the tools`)
  return undefined
}

/** Arguments that must keep to a schema need one that a grammar can stand for. */
function unpromised(body: JsonObject): Refusal | undefined {
  const { tools } = toolsOf(body)
  for (const [index, { name, parameters, strict }] of (tools?.specs ?? []).entries()) {
    const forced = tools?.choice === 'required' || (typeof tools?.choice === 'object' && tools.choice.name === name)
    if (parameters === undefined || !(strict || forced)) continue
    const strange = strangeSchema(() => schemaGrammar(parameters), `tools[${index}].function.parameters`)
    if (strange) return strange
  }
  return undefined
}

/** Nothing when no tool may be called. */
export function toolsOf(body: JsonObject): { readonly tools?: Tools } {
  const { tools, tool_choice, parallel_tool_calls } = body
  if (!Array.isArray(tools) || tools.length === 0 || tool_choice === 'none') return {}
  const named = isObject(tool_choice) && isObject(tool_choice.function) ? String(tool_choice.function.name) : undefined
  const choice = named === undefined ? (tool_choice === 'required' ? 'required' : 'auto') : { name: named }
  return { tools: { specs: tools.map(specOf), choice, parallel: parallel_tool_calls !== false } }
}

function specOf(tool: unknown): ToolSpec {
  const { name, description, parameters, strict } = isObject(tool) && isObject(tool.function) ? tool.function : {}
  return {
    name: String(name),
    ...(typeof description === 'string' && { description }),
    ...(isObject(parameters) && { parameters }),
    ...(strict === true && { strict }),
  }
}

/** What of a message's calls is malformed. */
export function strangeCalls(message: JsonObject, at: string): Refusal | undefined {
  if (message.function_call !== undefined && message.function_call !== null)
    return refusal('unsupported_parameter', 'the embedded engine takes "tool_calls", not "function_call"', {
      param: `${at}.function_call`,
    })
  const { tool_calls = [], tool_call_id = '' } = message
  const calls = tool_calls ?? []
  if (!Array.isArray(calls) || calls.length > mostTools || !calls.every(isCall))
    return invalid(`${at}.tool_calls`, `"${at}.tool_calls" must be calls of functions with id, name and arguments`)
  if (message.role === 'tool' && (typeof tool_call_id !== 'string' || tool_call_id === ''))
    return invalid(`${at}.tool_call_id`, `"${at}.tool_call_id" must say which call is answered`)
  return undefined
}

/** A whole call of a function. */
export const isCall = (call: unknown): call is JsonObject =>
  isObject(call) &&
  typeof call.id === 'string' &&
  isObject(call.function) &&
  typeof call.function.name === 'string' &&
  typeof call.function.arguments === 'string'

/** A message's part in calling tools. */
export function callsOf({ role, tool_calls, tool_call_id, name }: JsonObject): Partial<ChatMessage> {
  const calls = Array.isArray(tool_calls) ? (tool_calls as readonly JsonObject[]) : []
  return {
    ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
    ...(role === 'tool' && { tool_call_id: String(tool_call_id) }),
    ...(role === 'tool' && typeof name === 'string' && { name }),
  }
}

function callOf(call: JsonObject) {
  const { name, arguments: text } = call.function as JsonObject
  return { id: String(call.id), name: String(name), arguments: String(text) }
}
