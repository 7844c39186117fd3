import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody, refuseBody, wrongMedia } from '../../adapters/http/body.ts'
import { parseObject } from '../../adapters/http/json.ts'
import { identity } from '../../adapters/openai/reply.ts'
import { type ApiRequest, type Dialect, openingText, parseRequest } from '../../adapters/openai/request.ts'
import { unsupported } from '../../adapters/openai/unsupported.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import { roomText } from '../../books/room.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Flow } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import { beginningsOf } from '../../lines/inference/prefix.ts'
import { sloOfTier } from '../../lines/inference/slo.ts'
import type { Grant } from '../../lines/inference/snapshot.ts'
import { chainOf } from '../../lines/inference/snapshot.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { RequestId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { type AnswerPorts, streamedAnswer, wholeAnswer } from './answers.ts'
import { authorise } from './auth.ts'
import { flowHeaders } from './headers.ts'
import type { State } from './state.ts'
import type { Answer } from './world.ts'

/** From the end of the headers: a body of 10 MiB in that time needs 1.4 Mbit/s. */
const bodyMs = 60_000

/** A request that may be asked: whose it is, under which snapshot, and how it is refused yet. */
export interface Opening {
  readonly grant: Grant
  readonly snapshot: FactorySnapshot
  refuse(why: Refusal): void
}

/** A request for tokens: may it be asked at all, is it what we understand, then into the line. */
export function generate(
  state: State,
  dialect: Dialect,
  request: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
): void {
  open(state, request, response, id, (body, opening) => {
    const understood = understand(dialect, body, opening)
    if ('code' in understood) return opening.refuse(understood)
    ask(state, understood, opening, { request, response, id })
  })
}

/** Who asks, and whether anything can be served now. */
export function caller(state: State, { headers }: IncomingMessage): Omit<Opening, 'refuse'> | Refusal {
  const { snapshot, pepper } = state
  if (!snapshot || !pepper) return refusal('not_ready', 'the gateway has not heard from the operator yet')
  const authorised = authorise(headers, snapshot, pepper, state.now())
  return authorised.ok ? { grant: authorised.grant, snapshot } : authorised.refusal
}

/** Reads the body of a request for tokens, and refuses what may not be asked. */
export function open(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
  told: (body: JsonObject, opening: Opening) => void,
): void {
  const refuse = (why: Refusal): void => {
    state.measures.refused(why)
    refuseBody(request, response, why, id)
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

/** Whether it is what we understand, for a model that the key may use and that is there. */
export function understand(
  dialect: Dialect,
  body: JsonObject,
  { grant, snapshot }: Pick<Opening, 'grant' | 'snapshot'>,
): ApiRequest | Refusal {
  const parsed = parseRequest(dialect, body)
  if (!parsed.ok) return parsed.refusal
  const { model } = parsed.request
  if (grant.models && !grant.models.includes(model))
    return refusal('model_not_allowed', `this key may not use the model "${model}"`, { param: 'model' })
  const chain = chainOf(snapshot, model)
  const able = snapshot.replicas.filter((replica) => chain.some((each) => serves(replica, each)))
  if (able.length === 0) return refusal('model_not_found', `there is no model "${model}"`, { param: 'model' })
  // A model that our own engine serves too takes only what both can do: where it runs is not the client's concern.
  const strange = able.some((replica) => replica.vendor === 'llama') ? unsupported(parsed.request) : undefined
  return strange ?? parsed.request
}

/** The two sides of one exchange. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly id: RequestId
}

/** How an answer is told to its client; chat's way unless said otherwise. */
export type Tell = (flow: Flow, ports: AnswerPorts) => Answer

const asChat: Tell = (flow, ports) => (ports.request.stream ? streamedAnswer(flow, ports) : wholeAnswer(flow, ports))

/** Into the line. */
export function ask(
  state: State,
  request: ApiRequest,
  { grant, snapshot }: Pick<Opening, 'grant' | 'snapshot'>,
  { request: { headers }, response, id }: Exchange,
  tell = asChat,
): void {
  const now = state.now()
  const { promptEstimate, maxOutput, stream } = request
  const [model = request.model, ...fallbacks] = chainOf(snapshot, request.model)
  const retry = Number(headers['x-stainless-retry-count'] ?? 0)
  const slo = sloOfTier(request.body.service_tier) ?? grant.slo
  const clientRetry = Number.isSafeInteger(retry) && retry > 0 ? retry : 0
  const flow = newFlow(
    id,
    {
      grant,
      model,
      fallbacks,
      promptEstimate,
      maxOutput,
      stream,
      slo,
      clientRetry,
      beginnings: beginningsOf(openingText(request)),
      body: request,
    },
    snapshot,
    now,
  )
  const ports: AnswerPorts = {
    request,
    response,
    identity: identity(request, id, now),
    headers: (of) => flowHeaders(of, state.policy, state.now()),
    draining: () => state.draining,
    pause: (paused) => state.world.pause(flow, paused),
    gone: () => response.destroy(),
  }
  response.on('close', () => closed(state, flow, response))
  state.world.begin(flow, tell(flow, ports))
}

function closed(state: State, flow: Flow, response: ServerResponse): void {
  state.world.tell(flow, { kind: 'client_closed' }) // nothing to a flow that is done
  state.log.debug('request', {
    id: flow.id,
    tenant: flow.ask.grant.tenant,
    model: flow.ask.model,
    outcome: flow.closing?.outcome ?? 'none',
    status: response.statusCode,
    ms: Math.round((state.now() - flow.askedAt) * 1000),
  })
}
