import type { ServerResponse } from 'node:http'
import type { Refusal } from '../../lines/inference/errors.ts'
import { errorCatalogue } from '../../lines/inference/errors.ts'

/** The shape that OpenAI's clients read; they show all four fields. */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string
  }
}

/**
 * The request id stands in the message too: an exception from a stream that broke off no longer has the headers.
 */
export const errorBody = (refusal: Refusal, requestId: string): ErrorBody => ({
  error: {
    message: errorText(refusal, requestId),
    type: errorCatalogue[refusal.code].type,
    param: refusal.param ?? null,
    code: refusal.code,
  },
})

/** What is wrong, what to do next, and the request's id. */
export function errorText({ code, message }: Refusal, requestId: string): string {
  const said = /[.!?…]$/.test(message) ? message : `${message}.`
  return `${said} ${errorCatalogue[code].next} (request ${requestId})`
}

/** How an API writes an error: each one's clients read their own shape. */
export type ErrorShape = (refusal: Refusal, requestId: string) => object

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Waiting that long is right when nobody knows better: a retry within the second meets the same trouble. */
const usualRetryMs = 1000

/**
 * Most clients obey `retry-after-ms`, so it steers the retries of a fleet; `x-should-retry` says what the status alone
 * would get wrong, such as a 429 that no waiting cures.
 */
export function errorAnswer(refusal: Refusal, requestId: string, shape: ErrorShape = errorBody): ErrorAnswer {
  const { status, retry } = errorCatalogue[refusal.code]
  const waits = retry && (status === 429 || status === 503)
  const retryMs = refusal.retry_after_ms ?? (waits ? usualRetryMs : undefined)
  const body = JSON.stringify(shape(refusal, requestId))
  return {
    status,
    body,
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'x-should-retry': String(retry),
      ...idHeaders(requestId),
      ...(retryMs !== undefined && retry
        ? { 'retry-after': String(Math.ceil(retryMs / 1000)), 'retry-after-ms': String(Math.ceil(retryMs)) }
        : {}),
    },
  }
}

/** OpenAI's clients read the one, Anthropic's the other. */
export const idHeaders = (requestId: string): Record<string, string> => ({
  'x-request-id': requestId,
  'request-id': requestId,
})

/** Answers with an error, unless an answer has begun or nobody is there. */
export function sendError(
  response: ServerResponse,
  refusal: Refusal,
  requestId: string,
  more: Readonly<Record<string, string>> = {},
  shape: ErrorShape = errorBody,
): void {
  if (response.headersSent || response.destroyed) return
  const { status, headers, body } = errorAnswer(refusal, requestId, shape)
  response.writeHead(status, { ...headers, ...more })
  response.end(body)
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  more: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...more,
  })
  response.end(body)
}
