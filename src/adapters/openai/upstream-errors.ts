import { errors } from 'undici'
import type { EngineFailure, EngineFault } from '../../lines/inference/flow.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { ForbiddenAddress } from '../http/dial.ts'

const failure = (fault: EngineFault, message: string): EngineFailure => ({ fault, message })

/** The longest reason we pass on: some upstreams put the whole request into it. */
const longestReason = 500

/**
 * An HTTP error of an upstream. Its reason goes to the client only where the client can act on it; what it says about
 * our key or its own insides stays here.
 */
export function failureOfStatus(
  engine: string,
  status: number,
  body: unknown,
  own?: EngineFault, // a status that only this engine uses
): EngineFailure {
  const error = errorIn(body)
  if (own) return failure(own, `engine ${engine} answered ${status}`)
  if (isContextLength(error)) return failure('context_length', reasonOf(error, 'the prompt is too long'))
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return failure('bad_request', reasonOf(error, `engine ${engine} refused the request (${status})`))
    case 401:
    case 403:
      return failure(
        'bad_reply',
        `engine ${engine} does not accept our key (${status}): set it with \`wattmill engines add ${engine} --key-from env:NAME\``,
      )
    case 404:
      return failure('unknown_model', `engine ${engine} does not know this model or path (404)`)
    case 408:
    case 504:
      return failure('timed_out', `engine ${engine} answered ${status}`)
    case 429:
    case 503:
    case 529:
      return failure('overloaded', `engine ${engine} is busy (${status})`)
    case 502:
      return failure('unreachable', `a proxy before engine ${engine} does not reach it (502)`)
    default:
      return status >= 500
        ? failure('crashed', `engine ${engine} answered ${status}`)
        : failure('bad_reply', `engine ${engine} answered ${status}`)
  }
}

/** An `error` object in the midst of a stream, or in an answer that called itself 200. */
export function failureOfError(engine: string, error: unknown): EngineFailure {
  const found = isObject(error) ? error : {}
  const status = [found.code, found.status, found.status_code].map(Number).find((one) => one >= 400 && one < 600)
  if (status === undefined && found.type === 'invalid_request_error' && !isContextLength(found))
    return failureOfStatus(engine, 400, { error: found })
  return failureOfStatus(engine, status ?? 500, { error: found })
}

/** How far an exchange had come when its socket failed. */
export type Stage = 'asked' | 'answered' | 'produced'

/** What happened to the socket or to the HTTP on it. */
export function failureOfSocket(engine: string, cause: Error, stage: Stage): EngineFailure {
  const code = 'code' in cause ? String(cause.code) : ''
  if (cause instanceof ForbiddenAddress) return failure('unreachable', `engine ${engine}: ${cause.message}`)
  if (cause instanceof errors.HeadersTimeoutError || cause instanceof errors.BodyTimeoutError)
    return failure('timed_out', `engine ${engine} sent nothing for too long`)
  if (code.startsWith('HPE_') || cause instanceof errors.HTTPParserError)
    return failure('bad_reply', `engine ${engine} answered what is not HTTP`)
  if (stage === 'produced') return failure('truncated', `engine ${engine} broke off (${code || cause.name})`)
  if (stage === 'answered')
    return failure('crashed', `engine ${engine} broke off before any content (${code || cause.name})`)
  return failure('unreachable', `engine ${engine} cannot be reached (${code || cause.name})`)
}

function errorIn(body: unknown): JsonObject {
  if (!isObject(body)) return {}
  if (isObject(body.error)) return body.error
  const said = [body.error, body.message, body.detail].find((one) => typeof one === 'string') // `detail`: FastAPI
  return said === undefined ? body : { ...body, message: said }
}

/** OpenAI names it by a code; vLLM, SGLang and llama-server only in words. */
const isContextLength = (error: JsonObject): boolean =>
  error.code === 'context_length_exceeded' ||
  error.type === 'exceed_context_size_error' ||
  /(maximum|max|available) (model |allowed )?context (length|size)|longer than the maximum model length|exceeds? the .*context/i.test(
    String(error.message ?? ''),
  )

const reasonOf = (error: JsonObject, otherwise: string): string =>
  typeof error.message === 'string' && error.message !== '' ? error.message.slice(0, longestReason) : otherwise
