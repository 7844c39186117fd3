/** What we send and take, held against the types of Anthropic's own client: that this compiles is the test. */
import type Anthropic from '@anthropic-ai/sdk'
import type { PageResponse } from '@anthropic-ai/sdk/core/pagination'
import type { MessagesRole, ToolChoiceType } from '../src/adapters/anthropic/blocks-in.ts'
import type { Block, BlockEvent } from '../src/adapters/anthropic/blocks-out.ts'
import type { MessagesError } from '../src/adapters/anthropic/errors.ts'
import { messageDelta, messageOf, messageStart, messageStop, unstopped } from '../src/adapters/anthropic/message.ts'
import { modelInfo, modelPage } from '../src/adapters/anthropic/models.ts'
import type { MessagesFields } from '../src/adapters/anthropic/request.ts'
import { stopReasonOf } from '../src/adapters/anthropic/stop-reasons.ts'
import { messagesUsage, tokensCount } from '../src/adapters/anthropic/usage.ts'
import { missingUsage } from '../src/books/usage.ts'
import { tokens } from '../src/units/quantity.ts'

const usage = messagesUsage(missingUsage)
const identity = { id: 'msg_1', model: 'm' }
const stop = { stop_reason: stopReasonOf('stop'), stop_sequence: null }

messageOf(identity, [] as readonly Block[], stop, usage) satisfies Anthropic.Message
messageOf(identity, [], unstopped, usage).usage satisfies Anthropic.Usage
messageStart(identity, { input_tokens: 0, cache_read_input_tokens: 0 }) satisfies Anthropic.RawMessageStartEvent
messageDelta(stop, usage) satisfies Anthropic.RawMessageDeltaEvent
messageStop satisfies Anthropic.RawMessageStopEvent
modelInfo('m', '2026-01-01T00:00:00Z') satisfies Anthropic.ModelInfo
modelPage([modelInfo('m', '2026-01-01T00:00:00Z')]) satisfies PageResponse<Anthropic.ModelInfo>
tokensCount({ tokens: tokens(1), source: 'estimated' }) satisfies Anthropic.MessageTokensCount

/** Compiles when the first is one of the second. */
type Is<One extends Other, Other> = One
/** Compiles when nothing is left. */
type None<Left extends never> = Left
/** What of some parameters is looked at. */
type Seen<Params, Fields> = Pick<Params, keyof Params & keyof Fields>

/** Their newest client has no word for them; those before it do, and engines still read them. */
type OfOlderClients = 'temperature' | 'top_k' | 'top_p'

type Asked = Anthropic.MessageCreateParams
type Counting = Anthropic.MessageCountTokensParams

export type Checked = [
  Is<Block, Anthropic.ContentBlock>,
  Is<BlockEvent, Anthropic.RawMessageStreamEvent>,
  Is<MessagesError['error']['type'], Anthropic.ErrorType>,
  Is<Omit<MessagesError, 'error'>, Omit<Anthropic.ErrorResponse, 'error'>>,
]

/** What their client sends is what we take. */
export type Taken = [
  Is<Seen<Asked, MessagesFields>, MessagesFields>,
  Is<Seen<Counting, MessagesFields>, MessagesFields>,
  None<Exclude<keyof MessagesFields, keyof Asked | OfOlderClients>>,
  Is<Anthropic.MessageParam['role'], MessagesRole>,
  Is<Anthropic.ToolChoice['type'], ToolChoiceType>,
  None<Exclude<ToolChoiceType, Anthropic.ToolChoice['type']>>,
]
