import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { ErrorCode } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Certificate } from './certificate.ts'
import { errorAnswer } from './errors.ts'

export interface ServerBounds {
  /** Sockets at once; each costs about 20 KiB idle. Beyond it the kernel's queue holds them, then they are refused. */
  readonly maxConnections: number
  /** Safety net behind the body's own timer: node's time for a whole request, headers included. */
  readonly requestMs: number
  /** A client that dribbles its headers holds a socket for nothing. Also covers one that connects and says nothing. */
  readonly headersMs: number
}

export const serverBounds: ServerBounds = { maxConnections: 4096, requestMs: 120_000, headersMs: 10_000 }

/** Longer than the 60 s that load balancers keep idle sockets: the side that reuses must be the one that closes. */
const keepAliveMs = 65_000
/** Clients come back to another gateway now and then, so that load evens out after one was restarted. */
const maxRequestsPerSocket = 10_000
/** Keys and cookies fit many times over; longer is a mistake or an attack. */
const maxHeaderBytes = 16 * 1024

/** TLS 1.0 and 1.1 are deprecated (RFC 8996). */
const minVersion = 'TLSv1.2'

/** Connections from now on are made under it; those that stand keep theirs. */
export const renewCertificate = (server: Server, { cert, key }: Certificate): void =>
  (server as SecureServer).setSecureContext({ cert, key, minVersion })

/**
 * node:http with a bound on everything a client can hold or send; parser errors are answered in the API's own shape. With a
 * certificate it speaks TLS and nothing else.
 */
export function httpServer(
  bounds: ServerBounds,
  nextId: () => string,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  certificate?: Certificate,
): Server {
  const options = {
    headersTimeout: bounds.headersMs,
    requestTimeout: bounds.requestMs,
    connectionsCheckingInterval: Math.min(1_000, bounds.headersMs),
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: keepAliveMs,
    noDelay: true, // a token must not wait for the next one
  }
  const server = certificate
    ? createSecureServer({ ...options, ...tlsOf(certificate), handshakeTimeout: bounds.headersMs })
    : createServer(options)
  server.maxConnections = bounds.maxConnections
  server.maxRequestsPerSocket = maxRequestsPerSocket
  const answering = new WeakMap<Socket, ServerResponse>()
  server.on('request', (request, response) => {
    answering.set(request.socket, response)
    handle(request, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const under = answering.get(socket)
    if (!socket.writable || error.code === 'ECONNRESET' || (under?.headersSent && !under.writableFinished))
      return void socket.destroy()
    socket.end(rawAnswer(error.code, nextId()))
  })
  return server
}

const tlsOf = ({ cert, key }: Certificate) => ({ cert, key, minVersion, ALPNProtocols: ['http/1.1'] }) as const

function rawAnswer(code: string | undefined, requestId: string): string {
  const [error, message] = parserFault(code)
  const { status, headers, body } = errorAnswer(refusal(error, message), requestId)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Refused\r\nconnection: close\r\n${lines.join('')}\r\n${body}`
}

function parserFault(code: string | undefined): readonly [ErrorCode, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['header_too_large', `the headers are larger than ${maxHeaderBytes} bytes`]
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['body_timeout', 'the request did not arrive in time']
    default:
      return ['invalid_value', 'this is not a valid HTTP request']
  }
}
