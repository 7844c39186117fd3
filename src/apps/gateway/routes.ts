import type { IncomingMessage, ServerResponse } from 'node:http'
import { idHeaders, sendJson } from '../../adapters/http/errors.ts'
import type { RequestId } from '../../units/ids.ts'
import { batchRoutes } from './batches/routes.ts'
import { countTokens } from './count-tokens.ts'
import { generate } from './generate.ts'
import { listModels } from './models.ts'
import { readiness } from './ready.ts'
import { createResponse, keptResponse } from './responses.ts'
import type { State } from './state.ts'

export type Handle = (
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  id: RequestId,
  path: string,
) => void

export interface Route {
  readonly methods: readonly string[]
  /** For people; `match` is for paths. */
  readonly path: string
  /** One line for the list of routes. */
  readonly about: string
  readonly match: RegExp
  readonly handle: Handle
}

const GET = ['GET', 'HEAD']

/** What a gateway answers by itself. */
export const routes: readonly Route[] = [
  {
    methods: ['POST'],
    path: '/v1/chat/completions',
    about: "An answer to messages, streamed or not, in the shape of OpenAI's",
    match: /^\/v1\/chat\/completions$/,
    handle: (state, request, response, id) => generate(state, 'chat', request, response, id),
  },
  {
    methods: ['POST'],
    path: '/v1/completions',
    about: 'A text carried on, streamed or not',
    match: /^\/v1\/completions$/,
    handle: (state, request, response, id) => generate(state, 'text', request, response, id),
  },
  {
    methods: ['POST'],
    path: '/v1/embeddings',
    about: 'Texts as vectors, from a model made for them',
    match: /^\/v1\/embeddings$/,
    handle: (state, request, response, id) => generate(state, 'embeddings', request, response, id),
  },
  ...batchRoutes,
  {
    methods: ['POST'],
    path: '/v1/messages',
    about: "An answer to messages, streamed or not, in the shape of Anthropic's",
    match: /^\/v1\/messages$/,
    handle: (state, request, response, id) => generate(state, 'messages', request, response, id),
  },
  {
    methods: ['POST'],
    path: '/v1/messages/count_tokens',
    about: 'How many tokens such a request has as a prompt, and who says so; free',
    match: /^\/v1\/messages\/count_tokens$/,
    handle: countTokens,
  },
  {
    methods: ['POST'],
    path: '/v1/responses',
    about: 'An answer to items, streamed or not, kept if wished, to be gone on from by `previous_response_id`',
    match: /^\/v1\/responses$/,
    handle: createResponse,
  },
  {
    methods: [...GET, 'DELETE'],
    path: '/v1/responses/ID',
    about: 'A response that is kept; only its tenant has it, until it is deleted or its days are over',
    match: /^\/v1\/responses\/[^/]+$/,
    handle: keptResponse,
  },
  {
    methods: GET,
    path: '/v1/responses/ID/input_items',
    about: 'What was sent for it, page by page: `limit`, `order`, `after`',
    match: /^\/v1\/responses\/[^/]+\/input_items$/,
    handle: keptResponse,
  },
  {
    methods: GET,
    path: '/v1/models',
    about:
      'The models that the key may ask for, with what a million tokens costs it at the least and at the most by where it is answered (`wattmill`); one of them at `/v1/models/NAME`',
    match: /^\/v1\/models(\/.+)?$/,
    handle: listModels,
  },
  {
    methods: GET,
    path: '/livez',
    about: 'Whether this gateway runs; needs no key',
    match: /^\/livez$/,
    handle: (_state, _request, response, id) => sendJson(response, 200, { live: true }, idHeaders(id)),
  },
  {
    methods: GET,
    path: '/readyz',
    about: '200 when it can serve, else 503 and what it waits for; needs no key',
    match: /^\/readyz$/,
    handle: (state, _request, response, id) => {
      const report = readiness(state)
      sendJson(response, report.ready ? 200 : 503, report, idHeaders(id))
    },
  },
]
