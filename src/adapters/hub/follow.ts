/**
 * A GET that follows redirects, each hop through the dial function.
 *
 * Hubs answer with the address of a store elsewhere, so here, unlike on the data plane, a redirect is followed: a few, never
 * from https to http, and never to a private address unless the first one was of that kind too. A secret goes to the first
 * origin only.
 */
import type { Readable } from 'node:stream'
import { declaredBy, dial } from '../http/dial.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
  /** What the first origin said on its way to another: hubs name the file's hash and size there, and only there. */
  readonly first: Readonly<Record<string, string | string[] | undefined>>
  /** To be called when the body is done with. */
  close(): void
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>
  readonly secret?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** The other side does not answer, breaks off, or leads where nobody may go. */
export class FetchError extends Error {
  override readonly name = 'FetchError'
}

const mostHops = 5
const connectMs = 10_000
/** A store may take its time to find a cold file; a stream that is silent so long has stalled. */
const silenceMs = 30_000

export async function follow(start: URL, { headers = {}, secret, signal }: Asking = {}): Promise<Answer> {
  let first: Answer['first'] | undefined
  for (let [url, hop] = [start, 0]; ; hop++) {
    const pool = dial(url, { connections: 1, connectMs })
    const close = (): void => void pool.destroy().catch(() => undefined)
    try {
      const {
        statusCode,
        headers: told,
        body,
      } = await pool.request({
        path: url.pathname + url.search,
        method: 'GET',
        headers: {
          'user-agent': 'wattmill',
          'accept-encoding': 'identity',
          ...headers,
          ...(secret !== undefined && url.origin === start.origin && { authorization: `Bearer ${secret}` }),
        },
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
        ...(signal && { signal }),
      })
      first ??= told
      const next = statusCode >= 300 && statusCode < 400 && statusCode !== 304 ? told.location : undefined
      if (next === undefined) return { status: statusCode, headers: told, first, body, close }
      body.on('error', () => undefined).destroy()
      close()
      if (hop >= mostHops) throw new FetchError(`${start.host} redirects more than ${mostHops} times`)
      url = allowed(start, url, String(next))
    } catch (cause) {
      close()
      throw cause instanceof FetchError || signal?.aborted ? cause : failed(url, cause)
    }
  }
}

function allowed(start: URL, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new FetchError(`${from.host} redirects to what is no address`)
  const next = new URL(location, from.href)
  if (next.protocol !== 'https:' && next.protocol !== from.protocol)
    throw new FetchError(`${from.host} redirects from ${from.protocol} to ${next.protocol}//${next.host}`)
  const reach = declaredBy(next)
  if (reach !== 'public' && reach !== declaredBy(start))
    throw new FetchError(`${from.host} redirects to ${next.host}, an address of another kind`)
  return next
}

export function failed(url: URL, cause: unknown): FetchError {
  const { code, message } = cause as { code?: string; message?: string }
  return new FetchError(`${url.host}: ${message || code || String(cause)}`, { cause })
}

export function header(headers: Answer['headers'], name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}
