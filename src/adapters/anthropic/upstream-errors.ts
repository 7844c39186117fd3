import type { EngineFailure } from '../../lines/inference/flow.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { failureOfStatus } from '../openai/upstream-errors.ts'

/**
 * An HTTP error. Statuses mean there what they mean elsewhere; that a prompt is too long is said in words, or by the code
 * of another Wattmill.
 */
export function failureOfMessagesStatus(engine: string, status: number, body: unknown): EngineFailure {
  const error = isObject(body) && isObject(body.error) ? body.error : {}
  if (status === 400 && isTooLong(error)) return failureOfStatus(engine, 400, { error: tooLong(error) })
  if (status === 402)
    return { fault: 'bad_reply', message: `engine ${engine} wants to be paid (402): its account is out of credit` }
  return failureOfStatus(engine, status, body)
}

/** The status that each type of error has where it is one (docs.anthropic.com, "Errors"). */
const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/** An `error` event in the midst of a stream. */
export function failureOfEvent(engine: string, { error }: JsonObject): EngineFailure {
  const type = isObject(error) ? String(error.type) : ''
  return failureOfMessagesStatus(engine, statuses[type] ?? 500, { error })
}

const isTooLong = ({ message, details }: JsonObject): boolean =>
  (isObject(details) && details.error_code === 'context_length_exceeded') ||
  /prompt is too long|exceeds? (the )?context (limit|window)|input (length|is too long)/i.test(String(message ?? ''))

/** Marked with OpenAI's code, by which the one mapping of statuses knows it. */
const tooLong = (error: JsonObject): JsonObject => ({ ...error, code: 'context_length_exceeded' })
