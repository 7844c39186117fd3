import type { IncomingMessage, ServerResponse } from 'node:http'
import { idHeaders, sendError, sendJson } from '../../adapters/http/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import { modelsOf } from '../../lines/inference/snapshot.ts'
import type { ModelId, RequestId } from '../../units/ids.ts'
import { authorise } from './auth.ts'
import type { State } from './state.ts'

/** GET /v1/models and /v1/models/{id}: those that some engine serves and this key may use. Names may hold slashes. */
export function listModels(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
  path: string,
): void {
  const { snapshot, pepper } = state
  if (!snapshot || !pepper)
    return sendError(response, refusal('not_ready', 'the gateway has not heard from the operator yet'), id)
  const authorised = authorise(request.headers, snapshot, pepper, state.now())
  if (!authorised.ok) return sendError(response, authorised.refusal, id)
  const { models } = authorised.grant
  const shown = modelsOf(snapshot).filter((model) => !models || models.includes(model))
  const describe = (model: ModelId) => ({
    id: model,
    object: 'model',
    created: Math.floor(snapshot.published_ms / 1000),
    owned_by: 'wattmill',
  })
  const one = nameIn(path)
  if (one === undefined) return sendJson(response, 200, { object: 'list', data: shown.map(describe) }, idHeaders(id))
  const found = shown.find((model) => model === one)
  if (found) return sendJson(response, 200, describe(found), idHeaders(id))
  sendError(response, refusal('model_not_found', 'there is no such model for this key', { param: 'model' }), id)
}

function nameIn(path: string): string | undefined {
  const rest = path.slice('/v1/models/'.length)
  if (rest === '') return undefined
  try {
    return decodeURIComponent(rest)
  } catch {
    return rest
  }
}
