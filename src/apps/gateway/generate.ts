import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody, refuseBody, wrongMedia } from '../../adapters/http/body.ts'
import { sendError } from '../../adapters/http/errors.ts'
import { parseObject } from '../../adapters/http/json.ts'
import { identity } from '../../adapters/openai/reply.ts'
import { type ApiRequest, type Dialect, openingText, parseRequest } from '../../adapters/openai/request.ts'
import { unsupported } from '../../adapters/openai/unsupported.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import { answerCheck } from '../../adapters/rails/answer.ts'
import { deniedPrompt } from '../../adapters/rails/prompt.ts'
import { roomText } from '../../books/room.ts'
import type { SloClass } from '../../books/slo-class.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Ask, Flow } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import { beginningsOf } from '../../lines/inference/prefix.ts'
import { railsFor } from '../../lines/inference/rail.ts'
import { sloOfTier } from '../../lines/inference/slo.ts'
import type { Grant } from '../../lines/inference/snapshot.ts'
import { chainOf } from '../../lines/inference/snapshot.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { RequestId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { type AnswerPorts, streamedAnswer, wholeAnswer } from './answers.ts'
import { authorise } from './auth.ts'
import { answerHit, cacheHeaders, cacheUse, keptAnswer } from './cached.ts'
import { flowHeaders } from './headers.ts'
import { heldBounds, railedAnswer } from './railed.ts'
import type { State } from './state.ts'

/** From the end of the headers: a body of 10 MiB in that time needs 1.4 Mbit/s. */
const bodyMs = 60_000

/** A request for tokens: may it be asked at all, is it what we understand, then into the line. */
export function generate(
  state: State,
  dialect: Dialect,
  request: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
): void {
  const refuse = (why: Refusal): void => {
    state.measures.refused(why)
    refuseBody(request, response, why, id)
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
    const understood = understand(dialect, body.bytes, authorised.grant, snapshot)
    if ('code' in understood) return refuse(understood)
    ask(state, understood, authorised.grant, snapshot, request, response, id)
  })
}

function understand(dialect: Dialect, bytes: Buffer, grant: Grant, snapshot: FactorySnapshot): ApiRequest | Refusal {
  const json = parseObject(bytes)
  return json.ok ? understandObject(dialect, json.value, grant, snapshot) : json.refusal
}

/** May it be asked, by this key and of what there is; the same for a line of a batch. */
export function understandObject(
  dialect: Dialect,
  body: JsonObject,
  grant: Grant,
  snapshot: FactorySnapshot,
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
  return (
    strange ?? deniedPrompt(railsFor(snapshot.rails, grant, [model, ...chain]), parsed.request.body) ?? parsed.request
  )
}

function ask(
  state: State,
  request: ApiRequest,
  grant: Grant,
  snapshot: FactorySnapshot,
  { headers }: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
): void {
  const now = state.now()
  const { stream } = request
  const retry = Number(headers['x-stainless-retry-count'] ?? 0)
  const slo = sloOfTier(request.body.service_tier) ?? grant.slo
  const clientRetry = Number.isSafeInteger(retry) && retry > 0 ? retry : 0
  const flow = newFlow(id, askOf(request, grant, snapshot, slo, clientRetry), snapshot, now)
  const cache = cacheUse(state.cache, headers, request, grant, snapshot, now)
  if (cache && 'code' in cache) return sendError(response, cache, id)
  const check = answerCheck(railsOf(flow, request))
  const ports: AnswerPorts = {
    request,
    response,
    identity: identity(request, id, now),
    headers: (of) => ({
      ...flowHeaders(of, state.policy, state.now()),
      ...(cache && cacheHeaders(cache, now)),
    }),
    draining: () => state.draining,
    pause: (paused) => state.world.pause(flow, paused),
    gone: () => response.destroy(),
  }
  const answer = stream ? streamedAnswer(flow, ports, check && heldBounds) : wholeAnswer(flow, ports)
  const deny = (refusal: Refusal): void => state.world.tell(flow, { kind: 'denied', refusal })
  if (cache) state.measures.cached(cache.result, flow.ask.model)
  if (cache?.found) return answerHit(state, flow, cache.found, answer)
  const kept = cache ? keptAnswer(answer, state.cache, cache.key, state.now) : answer
  response.on('close', () => closed(state, flow, response))
  state.world.begin(flow, check ? railedAnswer(flow, kept, check, deny) : kept)
}

/** The guard rails that bind a request, under whatever name its model is known. */
export const railsOf = ({ snapshot, ask }: Flow, request: ApiRequest) =>
  railsFor((snapshot as FactorySnapshot).rails, ask.grant, [request.model, ask.model, ...(ask.fallbacks ?? [])])

/** What the line must know of a request. */
export function askOf(
  request: ApiRequest,
  grant: Grant,
  snapshot: FactorySnapshot,
  slo: SloClass,
  clientRetry: number,
): Ask {
  const { promptEstimate, maxOutput, stream } = request
  const [model = request.model, ...fallbacks] = chainOf(snapshot, request.model)
  let known: Ask['beginnings']
  return {
    ...{ grant, model, fallbacks, promptEstimate, maxOutput, stream, slo, clientRetry, body: request },
    /** Worked out for whoever looks. */
    get beginnings() {
      known ??= beginningsOf(openingText(request))
      return known
    },
  }
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
