import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorBody, idHeaders, sendError, sendJson } from '../../adapters/http/errors.ts'
import { openaiRendering } from '../../adapters/openai/rendering.ts'
import { identity } from '../../adapters/openai/reply.ts'
import type { ResponsesAsk } from '../../adapters/openai/responses/ask.ts'
import { readAsk, responseId } from '../../adapters/openai/responses/ask.ts'
import type { Conversation } from '../../adapters/openai/responses/chat.ts'
import { chatOf } from '../../adapters/openai/responses/chat.ts'
import type { ItemPage, Kept } from '../../adapters/openai/responses/kept.ts'
import { pageOf, withIds } from '../../adapters/openai/responses/kept.ts'
import { inResponsesTerms } from '../../adapters/openai/responses/terms.ts'
import type { Looked } from '../../adapters/sqlite/responses/work.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { RequestId } from '../../units/ids.ts'
import { ask } from './generate.ts'
import type { Call, Opening } from './receive.ts'
import { caller, open } from './receive.ts'
import { asResponse } from './responses-answers.ts'
import type { State } from './state.ts'
import { parserOf, understand } from './understand.ts'

/** POST /v1/responses: read as chat, answered as a response; between the two it is any other request. */
export function createResponse(state: State, request: IncomingMessage, response: ServerResponse, id: RequestId): void {
  const call = { request, response, id, error: errorBody }
  open(state, call, (body, opening) => {
    const asked = readAsk(body)
    if ('code' in asked) return opening.refuse(asked)
    conversationOf(state, asked, opening, (conversation) => {
      if (response.destroyed) return // left while what is kept was read
      begin(state, asked, conversation, opening, call)
    })
  })
}

function begin(state: State, asked: ResponsesAsk, conversation: Conversation, opening: Opening, call: Call): void {
  const { grant, snapshot, refuse } = opening
  const translated = chatOf(asked, conversation)
  if ('code' in translated) return refuse(translated)
  const understood = understand(parserOf('chat', {}), translated.body, grant, snapshot)
  if (!understood.ok) return refuse(inResponsesTerms(understood.refusal, translated.from))
  const { request } = understood
  const key = call.id
  const named = { ...identity(request, key, state.now()), id: responseId(key) }
  const tell = asResponse({
    ask: asked,
    request,
    identity: named,
    now: state.now,
    keep: (whole, told) => {
      const kept: Kept = { response: whole, input: withIds(resolved(asked, conversation), key) }
      const { tenant } = grant
      const created_ms = Math.round(state.now() * 1000)
      const { previous } = asked
      state.responses.put({ tenant, id: whole.id, created_ms, previous, body: JSON.stringify(kept) }, told)
    },
  })
  ask(state, request, opening, call, openaiRendering(request, named), tell)
}

/** What is kept holds the items themselves: what they referred to may be deleted. */
function resolved({ items }: ResponsesAsk, { referred }: Conversation) {
  const all = referred.flatMap(({ input, response }) => [...input, ...response.output])
  return items.map((item) =>
    item.type === 'item_reference' ? { ...(all.find(({ id }) => id === item.id) ?? item) } : item,
  )
}

function conversationOf(
  state: State,
  { previous, referred }: ResponsesAsk,
  { grant, refuse }: Opening,
  told: (conversation: Conversation) => void,
): void {
  if (previous === undefined && referred.length === 0) return told({ turns: [], referred: [] })
  const wanted = { tenant: grant.tenant, previous, ids: referred, most: state.settings.bodyBytes }
  state.responses.read(wanted, (looked) => {
    if (looked?.found === 'all') return told({ turns: looked.turns.map(kept), referred: looked.referred.map(kept) })
    refuse(inWords(looked, previous === undefined ? 'input' : 'previous_response_id'))
  })
}

const kept = (body: string): Kept => JSON.parse(body) as Kept

function inWords(looked: Exclude<Looked, { found: 'all' }> | undefined, param: string): Refusal {
  if (!looked) return refusal('response_store_unavailable', 'kept responses cannot be read')
  return looked.found === 'missing'
    ? refusal('response_not_found', `no response "${looked.id}" is kept`, { param })
    : refusal('body_too_large', 'the kept conversation is larger than one request may be', { param })
}

const paths = /^\/v1\/responses\/([^/]+)(\/input_items)?$/

/** GET and DELETE of what is kept. It is its tenant's alone: to all others it is not there. */
export function keptResponse(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: RequestId,
  path: string,
): void {
  const refuse = (why: Refusal): void => {
    state.measures.refused(why)
    sendError(response, why, requestId)
  }
  const found = caller(state, request)
  if ('code' in found) return refuse(found)
  const [, id = '', items] = paths.exec(path) ?? []
  const query = URL.parse(request.url ?? '', 'http://gateway')?.searchParams ?? new URLSearchParams()
  const { tenant } = found.grant
  if (request.method === 'DELETE')
    return state.responses.remove({ tenant, id }, (removed) => {
      if (removed) return sendJson(response, 200, { id, object: 'response', deleted: true }, idHeaders(requestId))
      refuse(inWords(removed === undefined ? undefined : { found: 'missing', id }, 'response_id'))
    })
  const page = items === undefined ? undefined : pageIn(query)
  if (page && 'code' in page) return refuse(page)
  if (query.get('stream') === 'true')
    return refuse(refusal('unsupported_parameter', 'a kept response is told whole', { param: 'stream' }))
  state.responses.read({ tenant, previous: undefined, ids: [id], most: Number.MAX_SAFE_INTEGER }, (looked) => {
    const [body] = looked?.found === 'all' ? looked.referred : []
    if (body === undefined) return refuse(inWords(looked?.found === 'all' ? undefined : looked, 'response_id'))
    const one = kept(body)
    sendJson(response, 200, page ? pageOf(one, page) : one.response, idHeaders(requestId))
  })
}

/** OpenAI's own bounds. */
function pageIn(query: URLSearchParams): ItemPage | Refusal {
  const limit = Number(query.get('limit') ?? 20)
  const order = query.get('order') ?? 'desc'
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    return refusal('invalid_value', '"limit" must be a whole number from 1 to 100', { param: 'limit' })
  if (order !== 'asc' && order !== 'desc')
    return refusal('invalid_value', '"order" must be asc or desc', { param: 'order' })
  return { limit, order, after: query.get('after') ?? undefined }
}
