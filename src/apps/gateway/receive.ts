import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody, refuseBody, wrongMedia } from '../../adapters/http/body.ts'
import type { ErrorShape } from '../../adapters/http/errors.ts'
import { parseObject } from '../../adapters/http/json.ts'
import type { ApiRequest } from '../../adapters/openai/request.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import { roomText } from '../../books/room.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Grant } from '../../lines/inference/snapshot.ts'
import type { RequestId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { authorise } from './auth.ts'
import type { State } from './state.ts'
import { type Parser, understand } from './understand.ts'

/** One HTTP request of a client, and how its API writes errors. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly id: RequestId
  readonly error: ErrorShape
}

/** From the end of the headers: a body of 10 MiB in that time needs 1.4 Mbit/s. */
const bodyMs = 60_000

/** A request that may be asked: by whom, under which snapshot, and how it is refused yet. */
export interface Opening {
  readonly grant: Grant
  readonly snapshot: FactorySnapshot
  refuse(why: Refusal): void
}

/** May it be asked at all, and is it what we understand? Then it is told; else the client is, why not. */
export const receive = (
  state: State,
  call: Call,
  parse: Parser,
  told: (asked: ApiRequest, opening: Opening) => void,
): void =>
  open(state, call, (body, opening) => {
    const understood = understand(parse, body, opening.grant, opening.snapshot)
    if (understood.ok) told(understood.request, opening)
    else opening.refuse(understood.refusal)
  })

/** Reads the body of a request for tokens, and refuses what may not be asked now, or not by this key. */
export function open(
  state: State,
  { request, response, id, error }: Call,
  told: (body: JsonObject, opening: Opening) => void,
): void {
  const refuse = (why: Refusal): void => {
    state.measures.refused(why)
    refuseBody(request, response, why, id, error)
  }
  if (state.draining) return refuse(refusal('draining', 'this gateway takes no new requests'))
  const found = caller(state, request)
  if ('code' in found) return refuse(found)
  if (state.journal.state !== 'up') return refuse(refusal('journal_unavailable', 'the journal is down'))
  const { room } = state.room
  if (room.state === 'full') return refuse(refusal('journal_unavailable', roomText(room)))
  const media = wrongMedia(request)
  if (media) return refuse(media)
  readBody(request, { bytes: state.settings.bodyBytes, ms: bodyMs }, (body) => {
    if (body.kind === 'left') return
    if (body.kind === 'refused') return refuse(body.refusal)
    const json = parseObject(body.bytes)
    if (!json.ok) return refuse(json.refusal)
    told(json.value, { ...found, refuse })
  })
}

/** Who asks, and whether anything can be known of it now. */
export function caller(state: State, { headers }: IncomingMessage): Omit<Opening, 'refuse'> | Refusal {
  const { snapshot, pepper } = state
  if (!snapshot || !pepper) return refusal('not_ready', 'the gateway has not heard from the operator yet')
  const authorised = authorise(headers, snapshot, pepper, state.now())
  return authorised.ok ? { grant: authorised.grant, snapshot } : authorised.refusal
}
