/** What an engine with Anthropic's API says, in OpenAI's language: events → chunks, a message → an answer. */
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { ChatChunk, ChatCompletion, ChatDelta, ChatMessage, FinishReason, ToolCall } from '../openai/wire.ts'
import { finishReasonOf } from './stop-reasons.ts'

type Chunk = Pick<ChatChunk, 'choices'>

const chunk = (delta: ChatDelta, finish_reason: FinishReason | null = null): Chunk => ({
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
})

/** Follows a stream: the calls of a chat are numbered among themselves, blocks among all. */
export class Chunks {
  readonly #calls = new Map<unknown, number>()

  /** The chunk of an event; none: it has nothing that a chat could hold. */
  of(event: JsonObject): Chunk | undefined {
    switch (event.type) {
      case 'message_start':
        return chunk({ role: 'assistant', content: '' })
      case 'content_block_start':
        return isObject(event.content_block) ? this.#begin(event.index, event.content_block) : undefined
      case 'content_block_delta':
        return isObject(event.delta) ? this.#delta(event.index, event.delta) : undefined
      case 'message_delta':
        return isObject(event.delta) && typeof event.delta.stop_reason === 'string'
          ? chunk({}, finishReasonOf(event.delta.stop_reason))
          : undefined
      default:
        return undefined
    }
  }

  #begin(block: unknown, { type, id, name, text }: JsonObject): Chunk | undefined {
    if (type === 'text') return typeof text === 'string' && text !== '' ? chunk({ content: text }) : undefined
    if (type !== 'tool_use') return undefined
    const index = this.#calls.size
    this.#calls.set(block, index)
    return chunk({
      tool_calls: [{ index, id: String(id), type: 'function', function: { name: String(name), arguments: '' } }],
    })
  }

  #delta(block: unknown, delta: JsonObject): Chunk | undefined {
    switch (delta.type) {
      case 'text_delta':
        return chunk({ content: String(delta.text ?? '') })
      case 'thinking_delta':
        return chunk({ reasoning_content: String(delta.thinking ?? '') })
      case 'input_json_delta': {
        const index = this.#calls.get(block)
        return index === undefined
          ? undefined
          : chunk({ tool_calls: [{ index, function: { arguments: String(delta.partial_json ?? '') } }] })
      }
      default:
        return undefined
    }
  }
}

/** A message → an answer of a chat; what does not depend on it is put in where it is sent. */
export function completionOf(message: JsonObject): Pick<ChatCompletion, 'choices'> {
  const blocks = Array.isArray(message.content) ? message.content.filter(isObject) : []
  const joined = (type: string, field: string): string =>
    blocks.flatMap((block) => (block.type === type ? String(block[field]) : [])).join('')
  const [text, thoughts] = [joined('text', 'text'), joined('thinking', 'thinking')]
  const calls = blocks.filter(({ type }) => type === 'tool_use')
  const said: ChatMessage = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(thoughts !== '' && { reasoning_content: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
  }
  return { choices: [{ index: 0, message: said, logprobs: null, finish_reason: finishReasonOf(message.stop_reason) }] }
}

const callOf = ({ id, name, input }: JsonObject): ToolCall => ({
  id: String(id),
  type: 'function',
  function: { name: String(name), arguments: JSON.stringify(input ?? {}) },
})
