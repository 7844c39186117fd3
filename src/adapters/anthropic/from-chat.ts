import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { budgets, type Effort, effortOf } from './effort.ts'
import { argumentsOf, imageSource } from './unsayable.ts'

/** Anthropic's API wants a limit and OpenAI's has none: what every model there can make, and an answer seldom needs. */
export const usualOutput = 8192

/** Fields in other words below, and those that only steer OpenAI's own service or promise nothing. */
const replaced: ReadonlySet<string> = new Set(
  `messages tools tool_choice parallel_tool_calls stop max_tokens max_completion_tokens stream_options response_format user
  reasoning_effort seed n logprobs top_logprobs logit_bias presence_penalty frequency_penalty min_p functions function_call
  modalities store metadata service_tier prompt_cache_key safety_identifier verbosity`.split(/\s+/),
)

/** Of a chat request that `unsayable` had nothing against. Unknown fields pass through. */
export function fromChat(body: JsonObject): JsonObject {
  const messages = body.messages as readonly JsonObject[]
  const system = messages.filter(isSystem).flatMap(({ content }) => blocksOf(content))
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !replaced.has(field)))
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop
  return {
    ...rest,
    messages: turnsOf(messages.filter((message) => !isSystem(message))),
    ...(system.length > 0 && { system }),
    ...limitsOf(body),
    ...(Array.isArray(stop) && stop.length > 0 && { stop_sequences: stop }),
    ...toolsOf(body),
    ...(typeof body.user === 'string' && { metadata: { user_id: body.user } }),
  }
}

const isSystem = ({ role }: JsonObject): boolean => role === 'system' || role === 'developer'

function limitsOf(body: JsonObject): JsonObject {
  const limit = body.max_completion_tokens ?? body.max_tokens
  const effort = isObject(body.thinking) ? undefined : effortOf(body.reasoning_effort)
  return {
    max_tokens: limit ?? usualOutput + (effort ? budgets[effort] : 0),
    ...(effort && { thinking: { type: 'adaptive' } }),
    ...outputOf(body.response_format, effort),
  }
}

function outputOf(format: unknown, effort: Effort | undefined): JsonObject {
  const { schema } =
    isObject(format) && format.type === 'json_schema' && isObject(format.json_schema) ? format.json_schema : {}
  if (!effort && schema === undefined) return {}
  return {
    output_config: {
      ...(effort && { effort }),
      ...(schema !== undefined && { format: { type: 'json_schema', schema } }),
    },
  }
}

/** Turns alternate: results of tools, and what the user says behind them, are one. */
function turnsOf(messages: readonly JsonObject[]): JsonObject[] {
  const turns: { role: string; content: JsonObject[] }[] = []
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const blocks = message.role === 'tool' ? [resultOf(message)] : said(message)
    if (blocks.length === 0) continue // an empty text is refused there
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else turns.push({ role, content: blocks })
  }
  return turns
}

const said = ({ content, tool_calls, refusal }: JsonObject): JsonObject[] => [
  ...blocksOf(content),
  ...blocksOf(refusal),
  ...(Array.isArray(tool_calls) ? (tool_calls as readonly JsonObject[]).map(useOf) : []),
]

function blocksOf(content: unknown): JsonObject[] {
  const parts: readonly JsonObject[] =
    typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : []
  return parts.flatMap((part): JsonObject[] => {
    if (part.type === 'image_url') return [{ type: 'image', source: imageSource(part) }]
    const text = part.type === 'refusal' ? part.refusal : part.text
    // A mark for its cache is Anthropic's own field: whoever sends it in a chat means it.
    const mark = isObject(part.cache_control) ? { cache_control: part.cache_control } : {}
    return typeof text === 'string' && text !== '' ? [{ type: 'text', text, ...mark }] : []
  })
}

/** Ids of other engines may hold what Anthropic's may not; both ends of a call are changed alike. */
const idOf = (id: unknown): string => String(id).replace(/[^a-zA-Z0-9_-]/g, '_')

const useOf = (call: JsonObject): JsonObject => ({
  type: 'tool_use',
  id: idOf(call.id),
  name: (call.function as JsonObject).name,
  input: argumentsOf(call),
})

const resultOf = ({ tool_call_id, content }: JsonObject): JsonObject => ({
  type: 'tool_result',
  tool_use_id: idOf(tool_call_id),
  content: blocksOf(content),
})

function toolsOf({ tools, tool_choice, parallel_tool_calls }: JsonObject): JsonObject {
  if (!Array.isArray(tools) || tools.length === 0) return {}
  const choice = choiceOf(tool_choice)
  const one = parallel_tool_calls === false && choice?.type !== 'none'
  return {
    tools: (tools as readonly { readonly function: JsonObject }[]).map((tool) => toolOf(tool.function)),
    ...((choice || one) && {
      tool_choice: { ...(choice ?? { type: 'auto' }), ...(one && { disable_parallel_tool_use: true }) },
    }),
  }
}

const toolOf = ({ name, description, parameters, strict }: JsonObject): JsonObject => ({
  name,
  ...(typeof description === 'string' && { description }),
  input_schema: parameters ?? { type: 'object', properties: {} },
  ...(strict === true && { strict }),
})

function choiceOf(choice: unknown): JsonObject | undefined {
  if (isObject(choice)) return { type: 'tool', name: (choice.function as JsonObject).name }
  if (choice === 'required') return { type: 'any' }
  return typeof choice === 'string' ? { type: choice } : undefined
}
