import { inputTokens, outputTokens } from '../../books/usage.ts'
import type { Event } from '../../lines/inference/flow.ts'
import { UpstreamAnswer } from '../../lines/inference/upstream.ts'
import { choice, type StreamShape, streamEnd } from '../stream-shapes.ts'
import type { Attempt } from './attempt.ts'

type End = Event & { readonly kind: 'ended' | 'failed' }

/** The end of an upstream's stream, as the live reader of such streams takes it. */
export function heardFrom(shape: StreamShape, attempt: Attempt): End {
  const answer = new UpstreamAnswer()
  answer.chunk(choice({ role: 'assistant' }))
  if (attempt.told > 0) answer.chunk(choice({ content: 'x' }))
  const { usage, number } = attempt
  const counted = { prompt: inputTokens(usage), cached: usage.cache_read?.tokens ?? 0, output: outputTokens(usage) }
  for (const event of streamEnd(shape, counted)) {
    if (event === 'done') answer.done()
    else answer.chunk(event)
  }
  if (answer.whole) return { kind: 'ended', attempt: number, usage: answer.usage }
  const fault = answer.produced ? 'truncated' : 'crashed'
  return {
    kind: 'failed',
    attempt: number,
    failure: { fault, message: 'ended without a finish reason' },
    usage: answer.usage,
  }
}
