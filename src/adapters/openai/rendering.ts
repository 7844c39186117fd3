import { missingUsage } from '../../books/usage.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { JsonObject } from '../../units/json.ts'
import { type ErrorShape, errorBody } from '../http/errors.ts'
import { keepAlive, type StreamEvent } from '../http/sse.ts'
import type { Piece } from './engine.ts'
import type { Receipt } from './receipt.ts'
import { ChunkRendering, endsChoice, type Identity, wholeReply } from './reply.ts'
import type { ApiRequest } from './request.ts'

/** An answer in the language of the API that was asked: the pieces are the same for all of them. */
export interface Rendering {
  readonly error: ErrorShape
  /** What is sent while there is nothing to say. */
  readonly heart: string
  /** How a stream tells that it broke off. */
  broken(refusal: Refusal, requestId: string): StreamEvent
  /** `begun`: what the engine has said so far of the prompt. */
  stream(begun: () => Flow['begun']): StreamRendering
  whole(pieces: readonly Piece[], receipt: Receipt | undefined): JsonObject
}

export interface StreamRendering {
  events(piece: Piece): readonly StreamEvent[]
  /** It says how the answer ended, and so waits until the request is settled. */
  holds(piece: Piece): boolean
  /** The last events, once it is settled. */
  end(receipt: Receipt | undefined): readonly StreamEvent[]
}

const asEvent = (value: object): StreamEvent => ({ data: JSON.stringify(value) })

/** Chat, text and vectors as OpenAI has them. */
export const openaiRendering = (request: ApiRequest, identity: Identity): Rendering => ({
  error: errorBody,
  heart: keepAlive,
  broken: (refusal, requestId) => asEvent(errorBody(refusal, requestId)),
  stream() {
    const rendering = new ChunkRendering(request, identity)
    return {
      events: (piece) => rendering.chunks(piece).map(asEvent),
      holds: endsChoice,
      end: (receipt) => [
        ...(request.includeUsage && receipt ? [asEvent(rendering.usageChunk(receipt))] : []),
        { data: '[DONE]' },
      ],
    }
  },
  whole: (pieces, receipt) => wholeReply(request, identity, pieces, receipt?.usage ?? missingUsage),
})
