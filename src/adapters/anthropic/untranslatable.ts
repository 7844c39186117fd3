/** What a request in Anthropic's language asks for that engines with OpenAI's API have no words for: refused, never dropped. */
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { invalid } from '../openai/fields.ts'
import { isOwn } from './blocks-in.ts'

const unsupported = (param: string, why: string): Refusal =>
  refusal('unsupported_parameter', `"${param}" is ${why}, which only an engine with Anthropic's API has`, { param })

/** Fields that change what is answered, or where, but for the value that changes nothing. Null asks for nothing. */
const foreign: Readonly<Record<string, (value: unknown) => boolean>> = {
  container: () => false,
  mcp_servers: (value) => Array.isArray(value) && value.length === 0,
  // Thoughts are left out of what goes back anyway.
  context_management: (value) => isObject(value) && editsOf(value).every((edit) => /^clear_thinking_/.test(edit)),
  inference_geo: () => false,
  speed: (value) => value === 'standard',
}

const editsOf = ({ edits }: JsonObject): string[] =>
  Array.isArray(edits) ? edits.map((edit) => (isObject(edit) ? String(edit.type) : '')) : ['']

/** The first such thing in a request that `parseMessages` had nothing against. */
export function untranslatable(body: JsonObject): Refusal | undefined {
  for (const [param, isHarmless] of Object.entries(foreign)) {
    const value = body[param]
    if (value !== undefined && value !== null && !isHarmless(value)) return unsupported(param, 'a field')
  }
  // Would be made, billed and never shown.
  if ((body.n ?? 1) !== 1) return invalid('n', '"n" is none of this API: it gives one answer')
  const tools = (body.tools ?? []) as readonly JsonObject[]
  const tool = tools.findIndex((one) => !isOwn(one))
  if (tool !== -1) return unsupported(`tools[${tool}].type`, 'a tool of its own')
  const messages = body.messages as readonly JsonObject[]
  if (messages.at(-1)?.role === 'assistant')
    return unsupported(`messages[${messages.length - 1}]`, 'the beginning of the answer')
  for (const [index, message] of messages.entries()) {
    const strange = strangeContent(`messages[${index}]`, message)
    if (strange) return strange
  }
  return undefined
}

function strangeContent(at: string, { role, content }: JsonObject): Refusal | undefined {
  if (!Array.isArray(content)) return undefined
  for (const [index, block] of (content as readonly JsonObject[]).entries()) {
    const where = `${at}.content[${index}]`
    if (!fits(block, role)) return unsupported(where, `a block of type "${String(block.type).slice(0, 60)}" here`)
    if (block.type === 'image' && isObject(block.source) && block.source.type === 'file')
      return unsupported(`${where}.source`, 'a file')
    const inner =
      block.type === 'tool_result' ? strangeContent(where, { role: 'result', content: block.content }) : undefined
    if (inner) return inner
  }
  return undefined
}

/** Thoughts are left out when they go back: only the model that thought them could read their signature. */
function fits({ type }: JsonObject, role: unknown): boolean {
  if (type === 'text') return true
  if (role === 'assistant') return type === 'tool_use' || type === 'thinking' || type === 'redacted_thinking'
  return role !== 'system' && (type === 'image' || (role === 'user' && type === 'tool_result'))
}
