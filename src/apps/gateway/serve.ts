import type { IncomingMessage, ServerResponse } from 'node:http'
import { refuseBody } from '../../adapters/http/body.ts'
import { idHeaders, sendJson } from '../../adapters/http/errors.ts'
import type { Relay } from '../../adapters/http/relay.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { RequestId } from '../../units/ids.ts'
import { generate } from './generate.ts'
import { listModels } from './models.ts'
import { readiness } from './ready.ts'
import type { State } from './state.ts'
import { nextId } from './state.ts'

type Handle = (request: IncomingMessage, response: ServerResponse, id: RequestId, url: URL) => void

interface Route {
  readonly path: RegExp
  /** Undefined: the other side knows. */
  readonly methods: readonly string[] | undefined
  readonly handle: Handle
}

/** Everything on the one port: the API and the probes are answered here, the rest is the operator's. */
export function serve(state: State, relay: Relay): (request: IncomingMessage, response: ServerResponse) => void {
  const toOperator: Handle = (request, response, id, url) =>
    relay.pass(request, response, url.pathname + url.search, id)
  const routes: readonly Route[] = [
    {
      path: /^\/v1\/chat\/completions$/,
      methods: ['POST'],
      handle: (request, response, id) => generate(state, 'chat', request, response, id),
    },
    {
      path: /^\/v1\/completions$/,
      methods: ['POST'],
      handle: (request, response, id) => generate(state, 'text', request, response, id),
    },
    {
      path: /^\/v1\/embeddings$/,
      methods: ['POST'],
      handle: (request, response, id) => generate(state, 'embeddings', request, response, id),
    },
    {
      path: /^\/v1\/models(\/.+)?$/,
      methods: ['GET', 'HEAD'],
      handle: (request, response, id, url) => listModels(state, request, response, id, url.pathname),
    },
    {
      path: /^\/livez$/,
      methods: ['GET', 'HEAD'],
      handle: (_, response, id) => sendJson(response, 200, { live: true }, idHeaders(id)),
    },
    {
      path: /^\/readyz$/,
      methods: ['GET', 'HEAD'],
      handle: (_, response, id) => {
        const report = readiness(state)
        sendJson(response, report.ready ? 200 : 503, report, idHeaders(id))
      },
    },
    // Never /internal: that is between gateways and operator.
    { path: /^\/(api\/.*|assets\/.*|metrics|favicon\.(ico|svg))?$/, methods: undefined, handle: toOperator },
  ]
  return (request, response) => {
    const id = nextId(state)
    if (state.draining || state.retiring) response.shouldKeepAlive = false
    // The URL's own parser resolves dots, encoded ones too, before a route is looked for.
    const url = URL.parse(request.url ?? '/', 'http://gateway')
    const route = url && routes.find(({ path }) => path.test(url.pathname))
    const refuse = (why: Refusal): void => {
      state.measures.refused(why)
      refuseBody(request, response, why, id)
    }
    if (!url || !route) return refuse(refusal('route_not_found', `there is no route ${request.method} here`))
    if (route.methods && !route.methods.includes(request.method ?? '')) {
      response.setHeader('allow', route.methods.join(', '))
      return refuse(refusal('method_not_allowed', `${request.method} is not for this route`))
    }
    route.handle(request, response, id, url)
  }
}
