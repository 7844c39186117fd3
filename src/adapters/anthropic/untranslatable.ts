/** What a request in Anthropic's language asks for that engines with OpenAI's API have no words for: refused, never dropped. */
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { isOwn } from './blocks-in.ts'

const unsupported = (param: string, why: string): Refusal =>
  refusal('unsupported_parameter', `"${param}" is ${why}, which only an engine with Anthropic's API has`, { param })

/** Fields that change what is answered, or where. Null asks for nothing. */
const foreign: readonly string[] = ['container', 'mcp_servers', 'context_management', 'inference_geo', 'speed']

/** The first such thing in a request that `parseMessages` had nothing against. */
export function untranslatable(body: JsonObject): Refusal | undefined {
  for (const param of foreign)
    if (body[param] !== undefined && body[param] !== null && body[param] !== 'standard')
      return unsupported(param, 'a field')
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
