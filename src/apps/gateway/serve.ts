import type { IncomingMessage, ServerResponse } from 'node:http'
import { messagesError } from '../../adapters/anthropic/errors.ts'
import { refuseBody } from '../../adapters/http/body.ts'
import { type ErrorShape, errorBody } from '../../adapters/http/errors.ts'
import type { Relay } from '../../adapters/http/relay.ts'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import { routes } from './routes.ts'
import type { State } from './state.ts'
import { nextId } from './state.ts'

/** Never /internal: that is between gateways and operator. */
const operators = /^\/(api\/.*|assets\/.*|metrics|favicon\.(ico|svg))?$/

/** Below Anthropic's route its clients read errors. */
const shapeOf = (path: string): ErrorShape => (/^\/v1\/messages(\/|$)/.test(path) ? messagesError : errorBody)

/** Everything on the one port: the API and the probes are answered here, the rest is the operator's. */
export function serve(state: State, relay: Relay): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const id = nextId(state)
    if (state.draining || state.retiring) response.shouldKeepAlive = false
    // The URL's own parser resolves dots, encoded ones too, before a route is looked for.
    const url = URL.parse(request.url ?? '/', 'http://gateway')
    const refuse = (why: Refusal): void => {
      state.measures.refused(why)
      refuseBody(request, response, why, id, shapeOf(url?.pathname ?? ''))
    }
    const { method = '' } = request
    if (url && operators.test(url.pathname)) return relay.pass(request, response, url.pathname + url.search, id)
    const route = url && routes.find(({ methods, match }) => methods.includes(method) && match.test(url.pathname))
    if (!route) {
      const here = url ? routes.filter(({ match }) => match.test(url.pathname)) : []
      const [first] = here
      if (!first)
        return refuse(refusal('route_not_found', `there is no ${method} ${(url?.pathname ?? '').slice(0, 100)}`))
      response.setHeader('allow', here.flatMap(({ methods }) => methods).join(', '))
      return refuse(refusal('method_not_allowed', `${method} is not for ${first.path}`))
    }
    route.handle(state, request, response, id, url.pathname)
  }
}
