import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Job } from '../openai/engine.ts'
import type { Preset } from '../openai/presets/preset.ts'
import { keyHeader } from '../openai/presets/quirks.ts'
import { inWordsOf } from './effort.ts'

/** The version of the API whose shapes are written here; every request must name one. */
export const anthropicVersion = '2023-06-01'

/**
 * Made from nothing, as for every upstream: of what a client sent, only the names of features travel on. The key goes as
 * the official client sends it.
 */
export const messagesHeaders = (
  job: Pick<Job, 'id'> & { readonly request?: Pick<Job['request'], 'betas'> },
  preset: Pick<Preset, 'key'>,
  key: string | undefined,
): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'accept-encoding': 'identity',
  'user-agent': 'wattmill',
  'anthropic-version': anthropicVersion,
  'x-request-id': job.id,
  ...(job.request?.betas === undefined ? {} : { 'anthropic-beta': job.request.betas }),
  ...keyHeader(preset.key, key),
})

/** The client's own body, or what its chat was translated to, with the upstream's name of the model. */
export const messagesBody = (job: Job): string => JSON.stringify({ ...bodyOf(job), model: job.model })

/** Fields of an answer that a count of the prompt does not know. */
const answering = [
  'max_tokens',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'metadata',
  'service_tier',
]

export function countBody(job: Job): string {
  const kept = Object.entries(bodyOf(job)).filter(([field]) => !answering.includes(field))
  return JSON.stringify({ ...Object.fromEntries(kept), model: job.model })
}

const bodyOf = ({ request, model }: Job): JsonObject =>
  request.dialect === 'messages' ? signed(request.body) : inWordsOf(model, request.messages ?? request.body)

/**
 * Thoughts of an engine with another API have no signature, and a model that is asked to go on from them would refuse:
 * where its conversation was answered elsewhere before, they are left out.
 */
function signed(body: JsonObject): JsonObject {
  const messages = body.messages as readonly JsonObject[]
  const unsigned = (block: unknown): boolean => isObject(block) && block.type === 'thinking' && block.signature === ''
  if (!messages.some(({ content }) => Array.isArray(content) && content.some(unsigned))) return body
  const rest = messages.map((message) => {
    const { content } = message
    return Array.isArray(content) ? { ...message, content: content.filter((block) => !unsigned(block)) } : message
  })
  return { ...body, messages: rest.filter(({ content }) => !Array.isArray(content) || content.length > 0) }
}

/**
 * What Anthropic charges by the use, or at another price than the model's. The books count tokens at one price: what they
 * cannot bill, nobody may order here.
 */
export function unbillable({ tools, speed }: JsonObject): Refusal | undefined {
  const refused = (param: string, why: string): Refusal =>
    refusal('unsupported_parameter', `"${param}" is charged ${why}, which the books do not count`, { param })
  if (speed !== undefined && speed !== null && speed !== 'standard') return refused('speed', 'at another price')
  const all: readonly unknown[] = Array.isArray(tools) ? tools : []
  const index = all.findIndex((tool) => isObject(tool) && /^(web_search|code_execution)_/.test(String(tool.type)))
  return index === -1 ? undefined : refused(`tools[${index}].type`, 'by the use')
}
