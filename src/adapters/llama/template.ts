/**
 * Chat messages to text, through the model's own Jinja template (`tokenizer.chat_template` of the GGUF).
 *
 * A file without one gets the fallback below: plain lines `role: content` and `assistant:` to go on from. It has no special
 * tokens, because such a model was trained on none; it is meant for base models that one wants to try in a chat window.
 * A template that cannot be parsed is not replaced by the fallback: the model was trained on another text, and saying so beats
 * answering badly. `text` requests still work then.
 */
import { Template } from '@huggingface/jinja'
import type { ChatMessage, ToolSpec } from './protocol.ts'

export const FALLBACK =
  '{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}'

export type Rendered =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly message: string }

/** Throws never: a template refuses what it does not like by raising, and that is the caller's mistake to hear of. */
export type RenderChat = (messages: readonly ChatMessage[], tools?: readonly ToolSpec[], thinking?: false) => Rendered

export function chatTemplate(source: string | undefined, beginText: string, endText: string): RenderChat {
  const parsed = parse(source ?? FALLBACK)
  if (typeof parsed === 'string')
    return () => ({ kind: 'refused', message: `the model's chat template is broken: ${parsed}` })

  return (messages, tools, thinking) => {
    try {
      const text = parsed.render({
        messages: messages.map(messageFor),
        ...(tools && { tools: tools.map(({ strict: _, ...spec }) => ({ type: 'function', function: spec })) }),
        bos_token: beginText,
        eos_token: endText,
        add_generation_prompt: true,
        ...(thinking === false && { enable_thinking: false }),
      })
      return { kind: 'text', text }
    } catch (error) {
      return { kind: 'refused', message: `the model's chat template refused the messages: ${reason(error)}` }
    }
  }
}

/** As templates know it: arguments as the object they stand for, since templates write them out as JSON themselves. */
function messageFor({ tool_calls, ...message }: ChatMessage): object {
  if (!tool_calls) return message
  const calls = tool_calls.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function',
    function: { name, arguments: objectIn(text) ?? text },
  }))
  return { ...message, tool_calls: calls }
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function parse(source: string): Template | string {
  try {
    return new Template(source)
  } catch (error) {
    return reason(error)
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300)
