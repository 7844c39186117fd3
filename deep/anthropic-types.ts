/** What we send, held against the types of Anthropic's own client: that this compiles is the test. */
import type Anthropic from '@anthropic-ai/sdk'
import type { Block, BlockEvent } from '../src/adapters/anthropic/blocks-out.ts'
import type { MessagesError } from '../src/adapters/anthropic/errors.ts'
import { messageDelta, messageOf, unstopped } from '../src/adapters/anthropic/message.ts'
import { modelInfo } from '../src/adapters/anthropic/models.ts'
import { stopReasonOf } from '../src/adapters/anthropic/stop-reasons.ts'
import { messagesUsage } from '../src/adapters/anthropic/usage.ts'
import { missingUsage } from '../src/books/usage.ts'

const usage = messagesUsage(missingUsage)
const identity = { id: 'msg_1', model: 'm' }
const stop = { stop_reason: stopReasonOf('stop'), stop_sequence: null }

messageOf(identity, [] as readonly Block[], stop, usage) satisfies Anthropic.Message
messageOf(identity, [], unstopped, usage).usage satisfies Anthropic.Usage
messageDelta(stop, usage) satisfies Anthropic.RawMessageDeltaEvent
modelInfo('m', '2026-01-01T00:00:00Z') satisfies Anthropic.ModelInfo

/** Compiles when the first is one of the second. */
type Is<One extends Other, Other> = One

export type Checked = [
  Is<Block, Anthropic.ContentBlock>,
  Is<BlockEvent, Anthropic.RawMessageStreamEvent>,
  Is<MessagesError['error']['type'], Anthropic.ErrorType>,
  Is<Omit<MessagesError, 'error'>, Omit<Anthropic.ErrorResponse, 'error'>>,
]
