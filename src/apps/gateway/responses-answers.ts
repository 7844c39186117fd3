import { errorBody, sendError } from '../../adapters/http/errors.ts'
import { EventStream, type StreamBounds } from '../../adapters/http/sse.ts'
import type { Piece } from '../../adapters/openai/engine.ts'
import type { Receipt } from '../../adapters/openai/receipt.ts'
import { receiptOf, wattmillObject } from '../../adapters/openai/receipt.ts'
import { ChunkRendering, endsChoice, type Identity } from '../../adapters/openai/reply.ts'
import type { ApiRequest } from '../../adapters/openai/request.ts'
import type { ResponsesAsk } from '../../adapters/openai/responses/ask.ts'
import { wantsSummary } from '../../adapters/openai/responses/ask.ts'
import { type OutputEnd, ResponseOutput } from '../../adapters/openai/responses/output.ts'
import { begunResponse, failedWith, responsesUsage } from '../../adapters/openai/responses/reply.ts'
import type { ResponseEvent, WireResponse } from '../../adapters/openai/responses/wire.ts'
import { missingUsage } from '../../books/usage.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import type { JsonObject } from '../../units/json.ts'
import { type AnswerPorts, mostHeld, trouble, wholeAnswer } from './answers.ts'
import type { Tell } from './generate.ts'
import type { Answer } from './world.ts'

/** What a response is told by. */
export interface ResponsesPorts {
  readonly ask: ResponsesAsk
  /** The same as chat. */
  readonly request: ApiRequest
  readonly identity: Identity
  now(): number
  /** Keeps it; false: it is not, and the response says so. */
  keep(response: WireResponse, told: (kept: boolean) => void): void
}

/** A response, streamed or not: the items are the same. */
export const asResponse =
  (responses: ResponsesPorts): Tell =>
  (flow, ports, bounds) =>
    responses.request.stream ? streamedResponse(flow, ports, responses, bounds) : wholeResponse(flow, ports, responses)

const outputFor = (flow: Flow, { body }: ResponsesAsk): ResponseOutput =>
  new ResponseOutput({ key: flow.id, asSummary: wantsSummary(body) })

function wholeResponse(flow: Flow, ports: AnswerPorts, responses: ResponsesPorts): Answer {
  const output = outputFor(flow, responses.ask)
  const begun = begunResponse(responses.ask, responses.identity)
  return wholeAnswer(flow, ports, (held, receipt, send) => {
    output.take(held.body(undefined))
    finished(begun, output, output.end(), receipt, responses, send)
  })
}

/** What came of it; sent once it is kept, so that a client can go on from it at once, at whichever gateway. */
function finished(
  begun: WireResponse,
  output: ResponseOutput,
  { status, incomplete_details }: OutputEnd,
  receipt: Receipt | undefined,
  responses: ResponsesPorts,
  send: (response: WireResponse) => void,
): void {
  const response: WireResponse = {
    ...begun,
    status,
    incomplete_details,
    completed_at: status === 'completed' ? Math.floor(responses.now()) : null,
    output: output.items(),
    usage: responsesUsage(receipt?.usage ?? missingUsage),
    ...(receipt && { wattmill: wattmillObject(receipt) as unknown as JsonObject }),
  }
  if (!response.store) return send(response)
  responses.keep(response, (kept) => send(kept ? response : { ...response, store: false }))
}

/** The events of a response, each with its number. What ends an item waits until the request is settled. */
function streamedResponse(flow: Flow, ports: AnswerPorts, responses: ResponsesPorts, bounds?: StreamBounds): Answer {
  const { response } = ports
  const watch = { paused: (paused: boolean) => ports.pause(paused), stalled: () => ports.gone() }
  const stream = new EventStream(response, () => ports.headers(flow), watch, bounds)
  const rendering = new ChunkRendering(responses.request, responses.identity)
  const output = outputFor(flow, responses.ask)
  const begun = begunResponse(responses.ask, responses.identity)
  const last: Piece[] = []
  let number = 0
  const event = (one: ResponseEvent): void =>
    stream.event(JSON.stringify({ ...one, sequence_number: number++ }), one.type)
  const greet = (): void => {
    if (number > 0) return
    event({ type: 'response.created', response: begun })
    event({ type: 'response.in_progress', response: begun })
  }
  const say = (piece: Piece): void => {
    greet()
    for (const chunk of rendering.chunks(piece)) for (const one of output.take(chunk)) event(one)
  }
  const complete = (): void => {
    greet()
    for (const piece of last) say(piece)
    const end = output.end()
    for (const one of end.events) event(one)
    const receipt = flow.closing && receiptOf(flow.closing, flow.snapshot.prices)
    finished(begun, output, end, receipt, responses, (whole) => {
      event({ type: whole.status === 'completed' ? 'response.completed' : 'response.incomplete', response: whole })
      stream.end()
    })
  }
  const failed = (wrong: Refusal): void => {
    const { code, message, param } = errorBody(wrong, flow.id).error
    event({ type: 'error', code, message, param })
    const whole: WireResponse = {
      ...begun,
      status: 'failed',
      store: false,
      error: failedWith(wrong, message),
      output: output.items('incomplete'),
    }
    event({ type: 'response.failed', response: whole })
    stream.end()
  }
  return {
    write(pieces) {
      for (const piece of pieces) {
        if (endsChoice(piece)) last.push(piece)
        else say(piece)
      }
      if (output.size > mostHeld) ports.gone()
    },
    release: () => stream.release(),
    finish(_, ending) {
      const wrong = trouble(flow, ending, ports)
      if (!wrong) return ending.kind === 'left' ? undefined : complete()
      if (stream.started) failed(wrong)
      else sendError(response, wrong, flow.id, ports.headers(flow))
    },
  }
}
