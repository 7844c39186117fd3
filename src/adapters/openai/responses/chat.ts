import type { Refusal } from '../../../lines/inference/errors.ts'
import { refusal } from '../../../lines/inference/errors.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { ResponsesAsk } from './ask.ts'
import { reasoningAsked } from './ask.ts'
import type { Kept } from './kept.ts'
import { messagesOf, type Placed } from './messages.ts'

/** What was kept of the conversation, the oldest turn first, and the responses that items refer to. */
export interface Conversation {
  readonly turns: readonly Kept[]
  readonly referred: readonly Kept[]
}

/** The same request in the words of chat, and where each of its messages came from. */
export interface Translated {
  readonly body: JsonObject
  readonly from: readonly string[]
}

export function chatOf(ask: ResponsesAsk, conversation: Conversation): Translated | Refusal {
  const known = new Map(conversation.referred.flatMap(itemsOf).map((item) => [item.id, item]))
  const placed: Placed[] = conversation.turns.flatMap(itemsOf).map((item) => ({ item, from: 'previous_response_id' }))
  for (const [index, item] of ask.items.entries()) {
    const from = `input[${index}]`
    const found = item.type === 'item_reference' ? known.get(item.id) : item
    if (!found) return refusal('response_not_found', 'the item is not kept', { param: `${from}.id` })
    placed.push({ item: found, from })
  }
  const { instructions } = ask.body
  const first = typeof instructions === 'string' && instructions !== ''
  const { messages, from } = messagesOf(placed)
  return {
    body: {
      ...passing(ask.body),
      ...fieldsOf(ask.body),
      messages: first ? [{ role: 'system', content: instructions }, ...messages] : messages,
    },
    from: first ? ['instructions', ...from] : from,
  }
}

const itemsOf = ({ input, response }: Kept): JsonObject[] => [
  ...input,
  ...(response.output as unknown as readonly JsonObject[]),
]

/** Fields that mean something in Responses alone, or stand elsewhere in chat; all others pass through as they are. */
const own = new Set([
  'background',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'previous_response_id',
  'prompt',
  'reasoning',
  'store',
  'stream_options',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'truncation',
])

const passing = (body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([field]) => !own.has(field)))

function fieldsOf(body: JsonObject): JsonObject {
  const { max_output_tokens, include, top_logprobs, tools, tool_choice } = body
  const { effort } = reasoningAsked(body)
  const budget = isObject(body.reasoning) ? body.reasoning.max_tokens : undefined
  const { format, verbosity } = isObject(body.text) ? body.text : {}
  const likelihoods = Array.isArray(include) && include.includes('message.output_text.logprobs')
  return {
    ...(typeof max_output_tokens === 'number' && { max_completion_tokens: max_output_tokens }),
    ...(typeof effort === 'string' && { reasoning_effort: effort }),
    ...(typeof budget === 'number' && { reasoning: { max_tokens: budget } }),
    ...(typeof verbosity === 'string' && { verbosity }),
    ...((likelihoods || Number(top_logprobs ?? 0) > 0) && { logprobs: true, top_logprobs: top_logprobs ?? 0 }),
    ...(Array.isArray(tools) && tools.length > 0 && { tools: tools.map(toolOf) }),
    ...(tool_choice !== undefined && tool_choice !== null && { tool_choice: choiceOf(tool_choice) }),
    ...(isObject(format) && format.type !== 'text' && { response_format: formatOf(format) }),
  }
}

const toolOf = ({ type: _, ...spec }: JsonObject): JsonObject => ({ type: 'function', function: present(spec) })

/** Null is taken as absent. */
const present = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))

const choiceOf = (choice: unknown): unknown =>
  isObject(choice) ? { type: 'function', function: { name: choice.name } } : choice

const formatOf = ({ type, ...schema }: JsonObject): JsonObject =>
  type === 'json_object' ? { type } : { type, json_schema: present(schema) }
