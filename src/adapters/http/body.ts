import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import { type ErrorShape, errorAnswer, errorBody, sendError } from './errors.ts'

export interface BodyBounds {
  /** Counted while it streams in: a length that lies, or none at all, gains nothing. */
  readonly bytes: number
  /** From the end of the headers to the end of the body; a dripping body holds a socket and its memory. */
  readonly ms: number
}

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The client left before its body was whole: nobody waits for an answer. */
  | { readonly kind: 'left' }

/** Told once, when the body is whole, refused, or will never come. */
export function readBody(request: IncomingMessage, bounds: BodyBounds, told: (body: Body) => void): void {
  const wrong = tooLong(Number(request.headers['content-length'] ?? 0), bounds)
  if (wrong) return told({ kind: 'refused', refusal: wrong })
  const parts: Buffer[] = []
  let size = 0
  let over = false
  const finish = (body: Body): void => {
    if (over) return
    over = true
    clearTimeout(timer)
    request.off('data', take)
    told(body)
  }
  const take = (part: Buffer): void => {
    size += part.length
    const long = tooLong(size, bounds)
    if (long) return finish({ kind: 'refused', refusal: long })
    parts.push(part)
  }
  const late = refusal('body_timeout', `the body was not whole after ${bounds.ms / 1000} s`)
  const timer = setTimeout(finish, bounds.ms, { kind: 'refused', refusal: late })
  request.on('data', take)
  request.on('end', () => finish({ kind: 'whole', bytes: Buffer.concat(parts, size) }))
  request.on('error', () => finish({ kind: 'left' }))
  request.on('close', () => finish({ kind: 'left' }))
}

const tooLong = (size: number, bounds: BodyBounds): Refusal | undefined =>
  size > bounds.bytes ? refusal('body_too_large', `the body is larger than ${bounds.bytes} bytes`) : undefined

/** JSON as it is: what is compressed could be any size, and a form is not ours to guess at. */
export function wrongMedia({ headers }: IncomingMessage): Refusal | undefined {
  const type = headers['content-type']
  if (type !== undefined && !/^application\/([\w.+-]+\+)?json\b/i.test(type))
    return refusal('unsupported_media_type', `the body is ${type.slice(0, 100)}`)
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return refusal('unsupported_media_type', `the body is encoded as ${encoding.slice(0, 100)}`)
  return undefined
}

/** A client that is still sending gets this long to read why it was refused. */
const lingerMs = 1000
/** So much is on its way already, and is read and thrown away without closing the socket. */
const smallBody = 64 * 1024

/**
 * Refuses a request whose body may still be coming. Closing at once would make the kernel reset the connection, and the
 * answer would be lost with it: so it is sent, what still comes is thrown away for a moment, and only then the socket goes.
 */
export function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  why: Refusal,
  requestId: string,
  shape: ErrorShape = errorBody,
): void {
  const length = Number(
    request.headers['content-length'] ?? (request.headers['transfer-encoding'] ? Number.POSITIVE_INFINITY : 0),
  )
  if (request.complete || length <= smallBody) return sendError(response, why, requestId, {}, shape)
  if (response.headersSent || response.destroyed) return
  const { status, headers, body } = errorAnswer(why, requestId, shape)
  response.writeHead(status, { ...headers, connection: 'close' })
  response.write(body)
  const timer = setTimeout(() => response.end(), lingerMs)
  request.on('end', () => response.end())
  response.on('close', () => clearTimeout(timer))
  request.resume()
}
