import type { IncomingHttpHeaders } from 'node:http'
import { parseMessages } from '../../adapters/anthropic/request.ts'
import { fitted } from '../../adapters/anthropic/translate.ts'
import { type Dialect, type ParsedRequest, parseRequest } from '../../adapters/openai/request.ts'
import type { FactorySnapshot } from '../../adapters/operator/contract.ts'
import { deniedPrompt } from '../../adapters/rails/prompt.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import { railsFor } from '../../lines/inference/rail.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import { chainOf } from '../../lines/inference/snapshot.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { ModelId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'

/** Reads a body in one API's language. */
export type Parser = (body: JsonObject) => ParsedRequest

export const parserOf =
  (dialect: Dialect, headers: IncomingHttpHeaders): Parser =>
  (body) =>
    dialect === 'messages' ? parseMessages(body, 'answer', betasIn(headers)) : parseRequest(dialect, body)

/** Of a request that only asks for the size of its prompt. */
export const countParser =
  (headers: IncomingHttpHeaders): Parser =>
  (body) =>
    parseMessages(body, 'count', betasIn(headers))

const betasIn = (headers: IncomingHttpHeaders): string | undefined => {
  const betas = [headers['anthropic-beta'] ?? []].flat()
  return betas.length > 0 ? betas.join(',') : undefined
}

/**
 * A body → what is asked for, in every language that an engine of its model may need; or why this key may not ask it. The
 * same for a line of a batch.
 */
export function understand(
  parse: Parser,
  body: JsonObject,
  grant: Grant,
  snapshot: Pick<FactorySnapshot, 'replicas' | 'aliases' | 'rails'>,
): ParsedRequest {
  const refused = (why: Refusal): ParsedRequest => ({ ok: false, refusal: why })
  const parsed = parse(body)
  if (!parsed.ok) return parsed
  const { model } = parsed.request
  if (grant.models && !grant.models.includes(model))
    return refused(refusal('model_not_allowed', `this key may not use the model "${model}"`, { param: 'model' }))
  const able = replicasOf(snapshot, model)
  if (able.length === 0) return refused(refusal('model_not_found', `there is no model "${model}"`, { param: 'model' }))
  // A model that several engines serve takes only what all of them can do: where it runs is not the client's concern.
  const fits = fitted(parsed.request, new Set(able.map(({ vendor }) => vendor)))
  if (!fits.ok) return fits
  const denied = deniedPrompt(railsFor(snapshot.rails, grant, [model, ...chainOf(snapshot, model)]), body)
  return denied ? refused(denied) : fits
}

/** What may answer to a name of a model, or to an alias. */
export const replicasOf = (snapshot: Pick<Snapshot, 'replicas' | 'aliases'>, model: ModelId): readonly Replica[] =>
  snapshot.replicas.filter((replica) => chainOf(snapshot, model).some((each) => serves(replica, each)))
