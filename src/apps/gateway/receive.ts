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

/** May it be asked at all, and is it what we understand? Then it is told; else the client is, why not. */
export function receive(
  state: State,
  { request, response, id, error }: Call,
  parse: Parser,
  told: (asked: ApiRequest, grant: Grant, snapshot: FactorySnapshot) => void,
): void {
  const refuse = (why: Refusal): void => {
    state.measures.refused(why)
    refuseBody(request, response, why, id, error)
  }
  const { snapshot, pepper } = state
  if (state.draining) return refuse(refusal('draining', 'this gateway takes no new requests'))
  if (!snapshot || !pepper) return refuse(refusal('not_ready', 'the gateway has not heard from the operator yet'))
  const authorised = authorise(request.headers, snapshot, pepper, state.now())
  if (!authorised.ok) return refuse(authorised.refusal)
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
    const understood = understand(parse, json.value, authorised.grant, snapshot)
    if (!understood.ok) return refuse(understood.refusal)
    told(understood.request, authorised.grant, snapshot)
  })
}
