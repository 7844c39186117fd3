import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

/** A request in OpenAI's language, and where each of its messages stood in Anthropic's. */
export interface Chat {
  readonly body: JsonObject
  readonly origins: readonly string[]
}

/**
 * Fields that are said in other words below, and those without a meaning for another engine: marks for a cache that works
 * by itself there, and whom Anthropic should bill or count it for.
 */
const replaced: ReadonlySet<string> = new Set(
  `system messages tools tool_choice stop_sequences thinking output_config metadata cache_control container mcp_servers
  context_management inference_geo speed diagnostics service_tier user_profile_id workspace_id`.split(/\s+/),
)

/** Of a request that `untranslatable` had nothing against. Unknown fields pass through: they are the engine's to judge. */
export function toChat(body: JsonObject): Chat {
  const turns = [...systemTurn(body.system), ...messagesOf(body)]
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !replaced.has(field)))
  return {
    origins: turns.map(({ origin }) => origin),
    body: {
      ...rest,
      messages: turns.map(({ message }) => message),
      ...(Array.isArray(body.stop_sequences) && body.stop_sequences.length > 0 && { stop: body.stop_sequences }),
      ...toolsOf(body),
      ...formatOf(body.output_config),
      ...(isObject(body.metadata) && typeof body.metadata.user_id === 'string' && { user: body.metadata.user_id }),
    },
  }
}

interface Turn {
  readonly origin: string
  readonly message: JsonObject
}

const systemTurn = (system: unknown): Turn[] => {
  const content = textOf(system)
  return content === '' ? [] : [{ origin: 'system', message: { role: 'system', content } }]
}

const messagesOf = ({ messages }: JsonObject): Turn[] =>
  (messages as readonly JsonObject[]).flatMap(({ role, content }, index) => {
    const blocks = blocksOf(content)
    const said = role === 'assistant' ? [assistantTurn(blocks)] : role === 'user' ? userTurns(blocks) : []
    const all = role === 'system' ? [{ role, content: textOf(content) }] : said
    return all.map((message) => ({ origin: `messages[${index}]`, message }))
  })

const blocksOf = (content: unknown): readonly JsonObject[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : ((content ?? []) as readonly JsonObject[])

/** Blocks of text stand apart: they are read as paragraphs. */
const textOf = (content: unknown): string =>
  blocksOf(content)
    .flatMap((block) => (block.type === 'text' ? String(block.text) : []))
    .join('\n\n')

function assistantTurn(blocks: readonly JsonObject[]): JsonObject {
  const calls = blocks.filter(({ type }) => type === 'tool_use')
  const text = textOf(blocks)
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
  }
}

const callOf = ({ id, name, input }: JsonObject): JsonObject => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input) },
})

/** Results first, as OpenAI wants them right behind the calls; what a user says beside them, and images they hold, after. */
function userTurns(blocks: readonly JsonObject[]): JsonObject[] {
  const results = blocks.filter(({ type }) => type === 'tool_result')
  const shown = results.flatMap(({ content }) => blocksOf(content).filter(({ type }) => type === 'image'))
  const said = [...shown, ...blocks.filter(({ type }) => type !== 'tool_result')]
  const content = said.some(({ type }) => type === 'image') ? said.map(partOf) : textOf(said)
  return [...results.map(resultOf), ...(said.length > 0 || results.length === 0 ? [{ role: 'user', content }] : [])]
}

/** OpenAI has no field for a tool that failed: the text says so. */
function resultOf({ tool_use_id, content, is_error }: JsonObject): JsonObject {
  const text = textOf(content)
  return { role: 'tool', tool_call_id: tool_use_id, content: is_error === true ? `Error: ${text}` : text }
}

function partOf(block: JsonObject): JsonObject {
  if (block.type === 'text') return { type: 'text', text: block.text }
  const source = block.source as JsonObject
  const url = source.type === 'url' ? source.url : `data:${String(source.media_type)};base64,${String(source.data)}`
  return { type: 'image_url', image_url: { url } }
}

function toolsOf({ tools, tool_choice }: JsonObject): JsonObject {
  if (!Array.isArray(tools) || tools.length === 0) return {}
  const choice = isObject(tool_choice) ? tool_choice : {}
  return {
    tools: (tools as readonly JsonObject[]).map(toolOf),
    ...(typeof choice.type === 'string' && { tool_choice: choiceOf(choice) }),
    ...(choice.disable_parallel_tool_use === true && { parallel_tool_calls: false }),
  }
}

const toolOf = ({ name, description, input_schema, strict }: JsonObject): JsonObject => ({
  type: 'function',
  function: {
    name,
    ...(description !== undefined && { description }),
    parameters: input_schema,
    ...(strict === true && { strict }),
  },
})

const choiceOf = ({ type, name }: JsonObject): unknown => {
  if (type === 'tool') return { type: 'function', function: { name } }
  return type === 'any' ? 'required' : type
}

function formatOf(config: unknown): JsonObject {
  const format = isObject(config) && isObject(config.format) ? config.format : undefined
  if (format?.type !== 'json_schema') return {}
  return {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: format.schema } },
  }
}

/** A refusal of the translated request, with the places of the one that was sent. */
export function inOriginal(place: string, origins: readonly string[]): string {
  return place
    .replace(/\bmessages\[(\d+)\](\.content\[\d+\]|\.tool_call(s|_id))?/g, (all, at) => origins[Number(at)] ?? all)
    .replace(/\btools\[(\d+)\]\.function\.parameters/g, 'tools[$1].input_schema')
    .replace(/\btools\[(\d+)\]\.function\./g, 'tools[$1].')
    .replace(/\bresponse_format\.json_schema\b/g, 'output_config.format')
}
