import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Pool } from 'undici'
import { refusal } from '../../lines/inference/errors.ts'
import { isLoopback } from './addresses.ts'
import { readBody, refuseBody } from './body.ts'
import type { Client } from './client.ts'
import { dialSocket } from './dial.ts'
import { idHeaders, sendError } from './errors.ts'

/** Requests of people and scripts to the control API; each holds a socket while it runs. */
const mostConnections = 64
/** An export takes a while to begin; a plan longer than this is not asked for over HTTP. */
const answerMs = 120_000
/** Commands and forms; models and data go by path. */
const bodyBounds = { bytes: 1024 * 1024, ms: 60_000 }

/** Tells the other side that the client is a program of this machine, without anything in between. */
const nearHeader = 'x-wattmill-near'

/** A proxy of this machine adds a forwarding header; a web page that was led here by a false name gives that name as host. */
function isNear({ headers, socket }: IncomingMessage): boolean {
  const forwarded = Object.keys(headers).some((name) => /^(x-forwarded-|forwarded$|via$)/.test(name))
  const host = URL.parse(`http://${headers.host ?? ''}`)?.hostname.replace(/^\[|\]$/g, '')
  return !forwarded && isLoopback(socket.remoteAddress ?? '') && host !== undefined && isLoopback(host)
}

/** Of one connection only, or ours to say: not passed on. A client's word on where it comes from is not believed. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'forwarded',
  nearHeader,
])

function passed(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !dropped.has(name) && !name.startsWith('x-forwarded-')) kept[name] = value
  return kept
}

/** Hands requests to a server behind a socket of this machine, and its answers back as they stream. */
export class Relay {
  readonly #pool: Pool
  readonly #clientOf: (request: IncomingMessage) => Client

  constructor(socketPath: string, clientOf: (request: IncomingMessage) => Client) {
    this.#clientOf = clientOf
    this.#pool = dialSocket(socketPath, mostConnections)
  }

  /** `path` has its dots resolved already: what the other side may not be asked, the caller has refused. */
  pass(request: IncomingMessage, response: ServerResponse, path: string, id: string): void {
    readBody(request, bodyBounds, (body) => {
      if (body.kind === 'left') return
      if (body.kind === 'refused') return refuseBody(request, response, body.refusal, id)
      void this.#ask(request, response, path, id, body.bytes)
    })
  }

  close(): void {
    void this.#pool.destroy().catch(() => undefined)
  }

  async #ask(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    id: string,
    body: Buffer,
  ): Promise<void> {
    const left = new AbortController()
    response.on('close', () => left.abort())
    const client = this.#clientOf(request)
    try {
      await this.#pool.stream(
        {
          path,
          method: request.method ?? 'GET',
          headers: {
            ...passed(request.headers),
            'x-forwarded-for': client.address,
            'x-forwarded-proto': client.secure ? 'https' : 'http',
            [nearHeader]: isNear(request) ? '1' : '0',
            ...idHeaders(id),
          },
          body: body.length > 0 ? body : null,
          signal: left.signal,
          headersTimeout: answerMs,
          bodyTimeout: 0, // an event stream may be silent for as long as nothing happens
        },
        ({ statusCode, headers }) => {
          const length = headers['content-length']
          response.writeHead(statusCode, {
            ...idHeaders(id),
            ...passed(headers),
            ...(length === undefined ? {} : { 'content-length': String(length) }),
          })
          return response
        },
      )
    } catch {
      if (response.headersSent) return void response.destroy()
      if (isPerson(request)) return sendWaiting(response, id)
      sendError(response, refusal('operator_unavailable', 'the operator does not answer'), id)
    }
  }
}

/** A browser that goes to a page, and not one of the page's own questions. */
const isPerson = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && /\btext\/html\b/.test(headers.accept ?? '')

const waitingPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Wattmill</title>
<h1>The operator does not answer</h1>
<p>This page looks again every two seconds. Meanwhile the gateways serve <code>/v1</code> on and keep their journals; nothing is lost.</p>
<p>If it stays like this: the output of <code>wattmill up</code> says why.</p>
</html>
`

/** For who comes to the console while nobody is there to serve it; it comes by itself. */
function sendWaiting(response: ServerResponse, id: string): void {
  response.writeHead(503, {
    ...idHeaders(id),
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'cache-control': 'no-store',
    refresh: '2',
  })
  response.end(waitingPage)
}
