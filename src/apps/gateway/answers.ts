import type { ServerResponse } from 'node:http'
import { errorBody, sendError, sendJson } from '../../adapters/http/errors.ts'
import { EventStream, type StreamBounds } from '../../adapters/http/sse.ts'
import { refusalOf } from '../../adapters/openai/endings.ts'
import type { Piece } from '../../adapters/openai/engine.ts'
import { type Receipt, receiptOf } from '../../adapters/openai/receipt.ts'
import { ChunkRendering, endsChoice, type Identity, wholeReply } from '../../adapters/openai/reply.ts'
import type { ApiRequest } from '../../adapters/openai/request.ts'
import { missingUsage } from '../../books/usage.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Ending, Flow } from '../../lines/inference/flow.ts'
import { formatDollars } from '../../units/amount.ts'
import type { Answer } from './world.ts'

/** What both kinds of answer need to know of their request. */
export interface AnswerPorts {
  readonly request: ApiRequest
  readonly identity: Identity
  readonly response: ServerResponse
  headers(flow: Flow): Readonly<Record<string, string>>
  /** The gateway ends: what is cut now is cut for that. */
  draining(): boolean
  /** The reader is slow, or fast again. */
  pause(paused: boolean): void
  /** Nobody reads any more. */
  gone(): void
}

/** Why a request ended without a whole answer; undefined: it has one, or nobody is there to be told. */
export function trouble(flow: Flow, ending: Ending, ports: AnswerPorts): Refusal | undefined {
  if (ending.kind === 'left') return undefined
  const cutByUs =
    ports.draining() && (ending.kind === 'refused' ? ending.refusal.code === 'timeout' : flow.cut === 'timeout')
  if (cutByUs) return refusal('draining', 'the gateway shut down before the answer was whole')
  if (ending.kind === 'refused') return ending.refusal
  return ending.outcome === 'complete' ? undefined : refusalOf(flow, ending.outcome)
}

/** A streamed answer: content as it comes; finish reason, usage and `[DONE]` once the request is settled. */
export function streamedAnswer(flow: Flow, ports: AnswerPorts, bounds?: StreamBounds): Answer {
  const { response, request } = ports
  const stream = new EventStream(
    response,
    () => ports.headers(flow),
    { paused: (paused) => ports.pause(paused), stalled: () => ports.gone() },
    bounds,
  )
  const rendering = new ChunkRendering(request, ports.identity)
  const last: Piece[] = []
  const send = (piece: Piece): void => {
    for (const chunk of rendering.chunks(piece)) stream.event(JSON.stringify(chunk))
  }
  const complete = (): void => {
    for (const piece of last) send(piece)
    if (request.includeUsage && flow.closing)
      stream.event(JSON.stringify(rendering.usageChunk(receiptOf(flow.closing, flow.snapshot.prices))))
    stream.event('[DONE]')
    stream.end()
  }
  return {
    write(pieces) {
      for (const piece of pieces) {
        if (endsChoice(piece)) last.push(piece)
        else send(piece)
      }
    },
    release: () => stream.release(),
    finish(_, ending) {
      const wrong = trouble(flow, ending, ports)
      if (!wrong) return ending.kind === 'left' ? undefined : complete()
      if (!stream.started) return sendError(response, wrong, flow.id, ports.headers(flow))
      stream.event(JSON.stringify(errorBody(wrong, flow.id)))
      stream.end()
    },
  }
}

/** What one answer may hold until it is whole: far above any context's worth of text. */
export const mostHeld = 32 * 1024 * 1024

/** A token with twenty alternatives. */
const likelihoodBytes = 2048

/** How a whole answer is written: what was held and what it came to → what is sent, at once or later. */
export type WriteWhole = (pieces: readonly Piece[], receipt: Receipt | undefined, send: (body: unknown) => void) => void

/** An answer in one piece: held until the request is settled, so that its status and its usage are final. */
export function wholeAnswer(flow: Flow, ports: AnswerPorts, written: WriteWhole = asChat(ports)): Answer {
  const { response } = ports
  const held: Piece[] = []
  let size = 0
  const complete = (): void => {
    const receipt = flow.closing && receiptOf(flow.closing, flow.snapshot.prices)
    written(held, receipt, (body) =>
      sendJson(response, 200, body, {
        ...ports.headers(flow),
        ...(receipt ? { 'x-wattmill-cost-usd': formatDollars(receipt.cost) } : {}),
      }),
    )
  }
  return {
    write(pieces) {
      for (const piece of pieces) {
        if (piece.kind === 'vector') size += piece.data.length
        if (piece.kind === 'calls') for (const call of piece.calls) size += call.arguments.length
        if (piece.kind === 'text') size += piece.text.length + (piece.likelihoods?.length ?? 0) * likelihoodBytes
        held.push(piece)
      }
      if (size > mostHeld) ports.gone()
    },
    release: () => undefined,
    finish(_, ending) {
      const wrong = trouble(flow, ending, ports)
      if (wrong) sendError(response, wrong, flow.id, ports.headers(flow))
      else if (ending.kind !== 'left') complete()
    },
  }
}

const asChat =
  ({ request, identity }: AnswerPorts): WriteWhole =>
  (pieces, receipt, send) =>
    send(wholeReply(request, identity, pieces, receipt?.usage ?? missingUsage))
