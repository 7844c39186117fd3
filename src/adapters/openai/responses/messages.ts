import type { JsonObject } from '../../../units/json.ts'

/** An item of a conversation and where it came from, for an error to name. */
export interface Placed {
  readonly item: JsonObject
  readonly from: string
}

export interface Messages {
  readonly messages: readonly JsonObject[]
  /** Where each message came from. */
  readonly from: readonly string[]
}

interface Turn {
  reasoning: string
  content: string | readonly JsonObject[] | null
  readonly calls: JsonObject[]
}

/**
 * Items → the messages of a chat. What an assistant said, thought and called is several items there and one message
 * here: reasoning comes first, then text, then calls, and what does not follow in this order begins another message.
 */
export function messagesOf(items: readonly Placed[]): Messages {
  const messages: JsonObject[] = []
  const from: string[] = []
  let turn: Turn | undefined
  const end = (): void => {
    if (turn) messages.push(assistant(turn))
    turn = undefined
  }
  const begin = (origin: string, goesOn: (turn: Turn) => boolean): Turn => {
    if (turn && goesOn(turn)) return turn
    end()
    from.push(origin)
    turn = { reasoning: '', content: null, calls: [] }
    return turn
  }
  const push = (message: JsonObject, origin: string): void => {
    end()
    from.push(origin)
    messages.push(message)
  }
  for (const { item, from: origin } of items) {
    if (item.type === 'reasoning')
      begin(origin, ({ content, calls }) => content === null && calls.length === 0).reasoning += thought(item)
    else if (item.type === 'function_call') begin(origin, () => true).calls.push(callOf(item))
    else if (item.type === 'function_call_output')
      push({ role: 'tool', tool_call_id: item.call_id, content: contentOf(item.output) }, origin)
    else if (item.role === 'assistant')
      begin(origin, ({ content, calls }) => content === null && calls.length === 0).content = contentOf(item.content)
    else push({ role: item.role, content: contentOf(item.content) }, origin)
  }
  end()
  return { messages, from }
}

const assistant = ({ reasoning, content, calls }: Turn): JsonObject => ({
  role: 'assistant',
  content: content ?? (calls.length > 0 ? null : ''),
  ...(reasoning !== '' && { reasoning_content: reasoning }),
  ...(calls.length > 0 && { tool_calls: calls }),
})

const callOf = ({ call_id, name, arguments: text }: JsonObject): JsonObject => ({
  id: call_id,
  type: 'function',
  function: { name, arguments: text },
})

/** The reasoning itself where it was told, else what was told instead. */
function thought({ content, summary }: JsonObject): string {
  const textOf = (parts: unknown): string => ((parts ?? []) as readonly JsonObject[]).map(({ text }) => text).join('\n')
  return textOf(content) || textOf(summary)
}

/** Text as a string, which every engine reads; parts only where something else is among them. */
function contentOf(content: unknown): string | JsonObject[] {
  if (typeof content === 'string') return content
  const parts = content as readonly JsonObject[]
  const plain = parts.every(({ type }) => type === 'input_text' || type === 'output_text')
  return plain ? parts.map(({ text }) => text).join('') : parts.map(partOf)
}

function partOf(part: JsonObject): JsonObject {
  switch (part.type) {
    case 'refusal':
      return { type: 'refusal', refusal: part.refusal }
    case 'input_image':
      return {
        type: 'image_url',
        image_url: { url: part.image_url, ...(typeof part.detail === 'string' && { detail: part.detail }) },
      }
    case 'input_file':
      return {
        type: 'file',
        file: {
          ...(typeof part.filename === 'string' && { filename: part.filename }),
          ...(typeof part.file_data === 'string' ? { file_data: part.file_data } : { file_url: part.file_url }),
        },
      }
    default:
      return { type: 'text', text: part.text }
  }
}
