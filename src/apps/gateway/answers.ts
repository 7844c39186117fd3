import type { ServerResponse } from 'node:http'
import { sendError, sendJson } from '../../adapters/http/errors.ts'
import { EventStream, type StreamBounds, type StreamEvent } from '../../adapters/http/sse.ts'
import { refusalOf } from '../../adapters/openai/endings.ts'
import type { Piece } from '../../adapters/openai/engine.ts'
import type { Receipt } from '../../adapters/openai/receipt.ts'
import { receiptOf } from '../../adapters/openai/receipt.ts'
import type { Rendering } from '../../adapters/openai/rendering.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Ending, Flow } from '../../lines/inference/flow.ts'
import { formatDollars } from '../../units/amount.ts'
import type { JsonObject } from '../../units/json.ts'
import type { Answer } from './world.ts'

/** What both kinds of answer need to know of their request. */
export interface AnswerPorts {
  readonly rendering: Rendering
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
export function trouble(flow: Flow, ending: Ending, ports: Pick<AnswerPorts, 'draining'>): Refusal | undefined {
  if (ending.kind === 'left') return undefined
  const cutByUs =
    ports.draining() && (ending.kind === 'refused' ? ending.refusal.code === 'timeout' : flow.cut === 'timeout')
  if (cutByUs) return refusal('draining', 'the gateway shut down before the answer was whole')
  if (ending.kind === 'refused') return ending.refusal
  return ending.outcome === 'complete' ? undefined : refusalOf(flow, ending.outcome)
}

/** A streamed answer: content as it comes; finish reason, usage and the last event once the request is settled. */
export function streamedAnswer(flow: Flow, ports: AnswerPorts, bounds?: StreamBounds): Answer {
  const { response, rendering } = ports
  const stream = new EventStream(
    response,
    () => ports.headers(flow),
    { paused: (paused) => ports.pause(paused), stalled: () => ports.gone() },
    bounds,
    rendering.heart,
  )
  const told = rendering.stream(() => flow.begun)
  const last: Piece[] = []
  const send = (events: readonly StreamEvent[]): void => {
    for (const { data, name } of events) stream.event(data, name)
  }
  const complete = (): void => {
    for (const piece of last) send(told.events(piece))
    send(told.end(flow.closing && receiptOf(flow.closing, flow.snapshot.prices)))
    stream.end()
  }
  return {
    write(pieces) {
      for (const piece of pieces) {
        if (told.holds(piece)) last.push(piece)
        else send(told.events(piece))
      }
    },
    release: () => stream.release(),
    finish(_, ending) {
      const wrong = trouble(flow, ending, ports)
      if (!wrong) return ending.kind === 'left' ? undefined : complete()
      if (!stream.started) return sendError(response, wrong, flow.id, ports.headers(flow), rendering.error)
      send([rendering.broken(wrong, flow.id)])
      stream.end()
    },
  }
}

/** What one answer may hold until it is whole: far above any context's worth of text. */
export const mostHeld = 32 * 1024 * 1024

/** A token with twenty alternatives. */
const likelihoodBytes = 2048

/** The pieces of an answer until it is whole. */
export class HeldReply {
  readonly #rendering: Pick<Rendering, 'whole'>
  readonly #pieces: Piece[] = []
  #size = 0

  constructor(rendering: Pick<Rendering, 'whole'>) {
    this.#rendering = rendering
  }

  /** False: it has become longer than an answer can be. */
  takes(pieces: readonly Piece[]): boolean {
    for (const piece of pieces) {
      if (piece.kind === 'vector') this.#size += piece.data.length
      if (piece.kind === 'calls') for (const call of piece.calls) this.#size += call.arguments.length
      if (piece.kind === 'text') this.#size += piece.text.length + (piece.likelihoods?.length ?? 0) * likelihoodBytes
      this.#pieces.push(piece)
    }
    return this.#size <= mostHeld
  }

  body(receipt: Receipt | undefined): JsonObject {
    return this.#rendering.whole(this.#pieces, receipt)
  }
}

/** How a whole answer is written: what was held and what it came to → what is sent, at once or later. */
export type WriteWhole = (held: HeldReply, receipt: Receipt | undefined, send: (body: unknown) => void) => void

const asRendered: WriteWhole = (held, receipt, send) => send(held.body(receipt))

/** An answer in one piece: held until the request is settled, so that its status and its usage are final. */
export function wholeAnswer(flow: Flow, ports: AnswerPorts, written = asRendered): Answer {
  const { response, rendering } = ports
  const held = new HeldReply(rendering)
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
      if (!held.takes(pieces)) ports.gone()
    },
    release: () => undefined,
    finish(_, ending) {
      const wrong = trouble(flow, ending, ports)
      if (wrong) sendError(response, wrong, flow.id, ports.headers(flow), rendering.error)
      else if (ending.kind !== 'left') complete()
    },
  }
}
