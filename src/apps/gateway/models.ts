import type { IncomingMessage, ServerResponse } from 'node:http'
import { messagesError } from '../../adapters/anthropic/errors.ts'
import { modelInfo, modelPage } from '../../adapters/anthropic/models.ts'
import { errorBody, idHeaders, sendError, sendJson } from '../../adapters/http/errors.ts'
import { listOf, modelObject } from '../../adapters/openai/lists.ts'
import { priceAt } from '../../books/price.ts'
import type { PriceRange } from '../../books/price-range.ts'
import { priceRange } from '../../books/price-range.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import { sitesOf } from '../../lines/inference/flow-price.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import { chainOf, modelsOf } from '../../lines/inference/snapshot.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { ModelId, RequestId, SiteId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
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
  // Anthropic's clients name the version of its API, and read models and errors in its shape.
  const theirs = request.headers['anthropic-version'] !== undefined
  const refuse = (why: Refusal): void => sendError(response, why, id, {}, theirs ? messagesError : errorBody)
  const { snapshot, pepper } = state
  if (!snapshot || !pepper) return refuse(refusal('not_ready', 'the gateway has not heard from the operator yet'))
  const authorised = authorise(request.headers, snapshot, pepper, state.now())
  if (!authorised.ok) return refuse(authorised.refusal)
  const { models } = authorised.grant
  const shown = modelsOf(snapshot).filter((model) => !models || models.includes(model))
  const since = snapshot.published_ms
  const describe = (model: ModelId) =>
    theirs
      ? modelInfo(model, new Date(since).toISOString())
      : {
          ...modelObject(model, since),
          wattmill: { usd_per_million: rangeOf(snapshot, authorised.grant, model, state.now()) },
        }
  const one = nameIn(path)
  if (one === undefined) {
    const data = shown.map(describe)
    return sendJson(response, 200, theirs ? modelPage(data) : listOf(data), idHeaders(id))
  }
  const found = shown.find((model) => model === one)
  if (found) return sendJson(response, 200, describe(found), idHeaders(id))
  refuse(refusal('model_not_found', 'there is no such model for this key', { param: 'model' }))
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

/** What a request of this key costs by where it may be answered; of an alias what the model costs that answers. Null: it is free. */
function rangeOf(snapshot: Snapshot, { tenant, slo }: Grant, name: ModelId, now: Seconds): PriceRange | null {
  const chain = chainOf(snapshot, name)
  const model = chain.find((each) => snapshot.replicas.some((one) => serves(one, each))) ?? name
  const priced = (site: SiteId | undefined) => priceAt(snapshot.prices, { model, slo, tenant, site }, now * 1000)
  return priceRange(sitesOf(snapshot, model).map(priced))
}
