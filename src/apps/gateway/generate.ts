import type { IncomingMessage, ServerResponse } from 'node:http'
import { messagesError } from '../../adapters/anthropic/errors.ts'
import { messagesRendering } from '../../adapters/anthropic/rendering.ts'
import { errorBody, sendError } from '../../adapters/http/errors.ts'
import type { StreamBounds } from '../../adapters/http/sse.ts'
import { openaiRendering, type Rendering } from '../../adapters/openai/rendering.ts'
import { identity } from '../../adapters/openai/reply.ts'
import { type ApiRequest, type Dialect, openingText } from '../../adapters/openai/request.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import { answerCheck } from '../../adapters/rails/answer.ts'
import type { SloClass } from '../../books/slo-class.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import type { Ask, Flow } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import { beginningsOf } from '../../lines/inference/prefix.ts'
import { railsFor } from '../../lines/inference/rail.ts'
import { sloOfTier } from '../../lines/inference/slo.ts'
import type { Grant } from '../../lines/inference/snapshot.ts'
import { chainOf } from '../../lines/inference/snapshot.ts'
import type { RequestId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { type AnswerPorts, streamedAnswer, wholeAnswer } from './answers.ts'
import { cacheHeaders, cacheUse, hitOf, keptAnswer } from './cached.ts'
import { flowHeaders } from './headers.ts'
import { heldBounds, railedAnswer } from './railed.ts'
import { type Call, type Opening, receive } from './receive.ts'
import type { State } from './state.ts'
import { parserOf } from './understand.ts'
import type { Answer } from './world.ts'

/** A request for tokens: may it be asked at all, is it what we understand, then into the line. */
export function generate(
  state: State,
  dialect: Dialect,
  request: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
): void {
  const error = dialect === 'messages' ? messagesError : errorBody
  const call = { request, response, id, error }
  receive(state, call, parserOf(dialect, request.headers), (asked, opening) =>
    ask(state, asked, opening, call, renderingOf(asked, id, state.now())),
  )
}

/** How an answer is told to its client: as it is rendered, unless said otherwise. */
export type Tell = (flow: Flow, ports: AnswerPorts, bounds?: StreamBounds) => Answer

const asRendered: Tell = (flow, ports, bounds) =>
  flow.ask.stream ? streamedAnswer(flow, ports, bounds) : wholeAnswer(flow, ports)

/** Into the line. */
export function ask(
  state: State,
  request: ApiRequest,
  { grant, snapshot }: Pick<Opening, 'grant' | 'snapshot'>,
  { request: { headers }, response, id }: Call,
  rendering: Rendering,
  tell = asRendered,
): void {
  const now = state.now()
  const retry = Number(headers['x-stainless-retry-count'] ?? 0)
  const slo = sloOfTier(request.body.service_tier) ?? grant.slo
  const clientRetry = Number.isSafeInteger(retry) && retry > 0 ? retry : 0
  const flow = newFlow(id, askOf(request, grant, snapshot, slo, clientRetry), snapshot, now)
  const cache = cacheUse(state.cache, headers, request, grant, snapshot, now)
  if (cache && 'code' in cache) return sendError(response, cache, id, {}, rendering.error)
  const check = answerCheck(railsOf(flow, request))
  const ports: AnswerPorts = {
    response,
    rendering,
    headers: (of) => ({
      ...flowHeaders(of, state.policy, state.now()),
      ...(cache && cacheHeaders(cache, now)),
    }),
    draining: () => state.draining,
    pause: (paused) => state.world.pause(flow, paused),
    gone: () => response.destroy(),
  }
  const answer = tell(flow, ports, check && heldBounds)
  const deny = (refusal: Refusal): void => state.world.tell(flow, { kind: 'denied', refusal })
  if (cache) state.measures.cached(cache.result, flow.ask.model)
  response.on('close', () => closed(state, flow, response))
  if (cache?.found) {
    hitOf(cache.found, flow)
    return state.world.begin(flow, answer)
  }
  const kept = cache ? keptAnswer(answer, state.cache, cache.key, state.now) : answer
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

/** In the language in which it was asked. */
const renderingOf = (request: ApiRequest, id: RequestId, now: Seconds): Rendering =>
  request.dialect === 'messages' ? messagesRendering(request, id) : openaiRendering(request, identity(request, id, now))

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
