/** The frame of an answer: what Anthropic's API says around its content. */
import type { Block } from './blocks-out.ts'
import type { StopReason } from './stop-reasons.ts'
import type { MessagesUsage } from './usage.ts'

export interface MessageIdentity {
  readonly id: string
  readonly model: string
}

/** How an answer ended; null in the message that a stream begins with. */
export interface Stop {
  readonly stop_reason: StopReason | null
  readonly stop_sequence: string | null
}

export const unstopped: Stop = { stop_reason: null, stop_sequence: null }

/** What a whole message says of its usage: with what only Anthropic's own service has to say, which is nothing here. */
const wholeUsage = (usage: MessagesUsage) => ({
  ...usage,
  cache_creation: null,
  inference_geo: null,
  server_tool_use: null,
  service_tier: null,
  speed: null,
})

export const messageOf = (
  { id, model }: MessageIdentity,
  content: readonly Block[],
  { stop_reason, stop_sequence }: Stop,
  usage: MessagesUsage,
) => ({
  id,
  type: 'message' as const,
  role: 'assistant' as const,
  model,
  content: [...content],
  stop_reason,
  stop_sequence,
  stop_details: null,
  container: null,
  diagnostics: null,
  usage: wholeUsage(usage),
})

/** What a stream begins with: of its output nothing is said yet. */
export const messageStart = (
  identity: MessageIdentity,
  begun: Pick<MessagesUsage, 'input_tokens' | 'cache_read_input_tokens'>,
) => ({
  type: 'message_start' as const,
  message: messageOf(identity, [], unstopped, {
    ...begun,
    cache_creation_input_tokens: 0,
    output_tokens: 0,
    output_tokens_details: null,
  }),
})

export const messageStop = { type: 'message_stop' } as const

/** The last event but one of a stream, of an engine with another API. */
export const messageDelta = ({ stop_reason, stop_sequence }: Stop, usage: MessagesUsage) => ({
  type: 'message_delta' as const,
  delta: { stop_reason, stop_sequence, stop_details: null, container: null },
  usage: { ...usage, server_tool_use: null },
})
