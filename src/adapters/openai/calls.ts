import type { CallDelta } from '../llama/protocol.ts'
import type { ChatMessage, FinishReason, ToolCall, ToolCallDelta } from './wire.ts'

/** Tool calls of our own engine in OpenAI's shape: a delta of a streamed chunk. */
export const callDelta = ({ index, id, name, arguments: text }: CallDelta): ToolCallDelta => ({
  index,
  ...(id !== undefined && { id, type: 'function' }),
  function: { ...(name !== undefined && { name }), arguments: text },
})

/** All deltas of an answer → its calls. */
export function wholeCalls(deltas: readonly CallDelta[]): ToolCall[] {
  const calls: { id: string; name: string; text: string }[] = []
  for (const { index, id = '', name = '', arguments: text } of deltas) {
    const call = calls[index]
    if (call) call.text += text
    else calls[index] = { id, name, text }
  }
  return calls.map(({ id, name, text }) => ({ id, type: 'function', function: { name, arguments: text } }))
}

/** An answer of nothing but calls has no content, which clients tell from an empty one. */
export const messageOf = (text: string, calls: readonly ToolCall[]): ChatMessage => ({
  role: 'assistant',
  content: calls.length > 0 && text === '' ? null : text,
  refusal: null,
  ...(calls.length > 0 && { tool_calls: calls }),
})

/** An answer that stopped to have tools called says so. */
export const reasonOf = (why: 'stop' | 'length', called: boolean): FinishReason =>
  called && why === 'stop' ? 'tool_calls' : why
