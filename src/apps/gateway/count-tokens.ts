import type { IncomingMessage, ServerResponse } from 'node:http'
import { messagesError } from '../../adapters/anthropic/errors.ts'
import { tokensCount } from '../../adapters/anthropic/usage.ts'
import { idHeaders, sendError, sendJson } from '../../adapters/http/errors.ts'
import { refusalOfFailure } from '../../adapters/openai/endings.ts'
import type { Counted, Engine } from '../../adapters/openai/engine.ts'
import type { ApiRequest } from '../../adapters/openai/request.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Snapshot } from '../../lines/inference/snapshot.ts'
import { chainOf } from '../../lines/inference/snapshot.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { ModelId, RequestId } from '../../units/ids.ts'
import { attemptId } from '../../units/ids.ts'
import { receive } from './receive.ts'
import type { State } from './state.ts'
import { countParser } from './understand.ts'

/** A prompt is tokenised between an engine's steps: more at once would be felt by those who wait for tokens. */
const mostCounts = 16
/** A prompt that just fits is tokenised in milliseconds; a hosted engine is a second away. */
const countMs = 15_000

/**
 * The size of a prompt: exact where its engine has the tokenizer or its provider answers for it, else estimated, and the
 * answer says which. It makes no tokens, so it costs nothing, is no request to the books and takes from no limit.
 */
export function countTokens(state: State, request: IncomingMessage, response: ServerResponse, id: RequestId): void {
  const call = { request, response, id, error: messagesError }
  receive(state, call, countParser(request.headers), (asked, { snapshot }) => {
    if (state.counting >= mostCounts) {
      const busy = refusal('overloaded', `${mostCounts} prompts are being counted already`)
      return sendError(response, busy, id, {}, messagesError)
    }
    state.counting++
    count(state, asked, snapshot, id, (counted) => {
      state.counting--
      if (counted.kind === 'failed')
        return sendError(response, refusalOfFailure(counted.failure), id, {}, messagesError)
      sendJson(response, 200, tokensCount(counted), idHeaders(id))
    })
  })
}

function count(
  state: State,
  asked: ApiRequest,
  snapshot: Snapshot,
  id: RequestId,
  told: (counted: Counted) => void,
): void {
  const able = counterOf(state, snapshot, asked.model)
  if (!able) return told({ kind: 'counted', tokens: asked.promptEstimate, source: 'estimated' })
  const { promise, resolve } = Promise.withResolvers<Counted>()
  void promise.then(told)
  const silent = { fault: 'timed_out', message: 'the engine did not say how many tokens it is' } as const
  const late = setTimeout(() => resolve({ kind: 'failed', failure: silent }), countMs)
  able.engine.count?.({ id: attemptId(id, 1), model: able.upstream, request: asked }, (counted) => {
    clearTimeout(late)
    if (counted.kind === 'failed' && counted.failure.fault === 'overloaded') state.fleet.wake(able.model)
    resolve(counted)
  })
}

interface Counter {
  readonly engine: Engine
  readonly model: ModelId
  /** The engine's own name of it. */
  readonly upstream: string
}

/** The first engine of the model that can be asked: our own before one far away. */
function counterOf({ fleet }: State, snapshot: Snapshot, name: ModelId): Counter | undefined {
  const own = snapshot.replicas.filter(({ vendor }) => vendor === 'llama')
  for (const model of chainOf(snapshot, name))
    for (const replica of [...own, ...snapshot.replicas]) {
      const engine = fleet.engine(replica.id)
      const upstream = replica.models[model]
      if (engine?.count && upstream !== undefined && serves(replica, model) && !replica.draining)
        return { engine, model, upstream }
    }
  return undefined
}
