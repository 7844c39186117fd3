import type { ErrorCode, Refusal } from '../../lines/inference/errors.ts'
import { errorCatalogue } from '../../lines/inference/errors.ts'
import { errorText } from '../http/errors.ts'

export type MessagesErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'api_error'
  | 'overloaded_error'
  | 'timeout_error'

/** The shape that Anthropic's clients read; `details` holds our stable code and the field that is wrong. */
export interface MessagesError {
  readonly type: 'error'
  readonly error: {
    readonly type: MessagesErrorType
    readonly message: string
    readonly details: { readonly error_code: ErrorCode; readonly param: string | null }
  }
  readonly request_id: string
}

/** Which of the types that their clients know follows from the status. */
const types: Readonly<Record<number, MessagesErrorType>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'api_error',
  502: 'api_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

export const messagesError = (refusal: Refusal, requestId: string): MessagesError => ({
  type: 'error',
  error: {
    type: types[errorCatalogue[refusal.code].status] ?? 'invalid_request_error',
    message: errorText(refusal, requestId),
    details: { error_code: refusal.code, param: refusal.param ?? null },
  },
  request_id: requestId,
})
