/**
 * Every error a client can get, once: code, HTTP status, OpenAI's type, whether trying again can help, and what to do.
 * `docs/errors.md` is made from this table.
 */
export const errorCatalogue = {
  invalid_json: { status: 400, type: 'invalid_request_error', retry: false, next: 'Send one JSON object as the body.' },
  invalid_value: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'Correct the field that `param` names.',
  },
  unsupported_parameter: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'Leave the parameter out, or ask for a model whose engine supports it.',
  },
  context_length_exceeded: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'Shorten the prompt or use a model with a longer context.',
  },
  engine_refused: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'The engine refused the request; its reason is in the message.',
  },
  prompt_denied: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'A guard rail of the factory forbids it; nothing was billed. `wattmill rails list` shows the rails.',
  },
  prompt_too_large: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'Shorten the prompt; nothing was billed. `wattmill rails list` shows the rails.',
  },
  answer_denied: {
    status: 422,
    type: 'invalid_request_error',
    retry: false,
    next: 'A guard rail withheld the answer; its tokens are billed. `wattmill rails list` shows the rails.',
  },
  answer_too_large: {
    status: 422,
    type: 'invalid_request_error',
    retry: false,
    next: 'Ask for fewer tokens with `max_tokens`; the tokens made until then are billed.',
  },
  answer_invalid: {
    status: 422,
    type: 'invalid_request_error',
    retry: false,
    next: 'Ask for the schema with `response_format`; the tokens of this answer are billed.',
  },
  invalid_api_key: {
    status: 401,
    type: 'authentication_error',
    retry: false,
    next: 'Create a key with `wattmill keys create --tenant NAME` and send it as `Authorization: Bearer …`.',
  },
  expired_api_key: {
    status: 401,
    type: 'authentication_error',
    retry: false,
    next: 'Make a new one with `wattmill keys rotate ID`.',
  },
  model_not_allowed: {
    status: 403,
    type: 'permission_error',
    retry: false,
    next: 'Use a model that the key allows, or create a key with `--models`.',
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    retry: false,
    next: 'See `wattmill models list` or GET /v1/models.',
  },
  file_not_found: {
    status: 404,
    type: 'invalid_request_error',
    retry: false,
    next: 'See GET /v1/files; a file is gone when its time is up.',
  },
  batch_not_found: {
    status: 404,
    type: 'invalid_request_error',
    retry: false,
    next: 'See GET /v1/batches.',
  },
  batch_is_over: {
    status: 409,
    type: 'invalid_request_error',
    retry: false,
    next: 'It has ended; its files hold what was answered.',
  },
  invalid_form: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    next: 'Send multipart/form-data with the fields `purpose` and `file`.',
  },
  file_too_large: {
    status: 413,
    type: 'invalid_request_error',
    retry: false,
    next: 'Split the file, or raise `limits.file_bytes` in wattmill.yaml.',
  },
  storage_exhausted: {
    status: 429,
    type: 'insufficient_quota',
    retry: false,
    next: 'Delete files that are no longer needed, or raise `limits.tenant_file_bytes` in wattmill.yaml.',
  },
  too_many_batches: {
    status: 429,
    type: 'insufficient_quota',
    retry: false,
    next: 'Wait until one of them has ended, or cancel one.',
  },
  response_not_found: {
    status: 404,
    type: 'invalid_request_error',
    retry: false,
    next: 'Responses are kept with `store: true` for `responses.retention_days`: send the conversation as `input` instead.',
  },
  route_not_found: {
    status: 404,
    type: 'invalid_request_error',
    retry: false,
    next: 'Check the path; docs/api.md lists the routes.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    retry: false,
    next: 'Use the method that the `allow` header names.',
  },
  body_timeout: {
    status: 408,
    type: 'invalid_request_error',
    retry: true,
    next: 'Send the whole body without pauses.',
  },
  body_too_large: {
    status: 413,
    type: 'invalid_request_error',
    retry: false,
    next: 'Send a smaller body, or raise `limits.body_bytes` in wattmill.yaml.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    retry: false,
    next: 'Send `content-type: application/json` without content-encoding.',
  },
  request_too_large_for_limit: {
    status: 429,
    type: 'rate_limit_error',
    retry: false,
    next: 'The request alone is more than the limit: shorten it, ask for fewer `max_tokens`, or raise the limit (`wattmill budgets set`, or the key’s `--tpm`).',
  },
  price_unknown: {
    status: 403,
    type: 'permission_error',
    retry: false,
    next: 'Set a price with `wattmill prices set MODEL`, or use a model that has one.',
  },
  budget_exhausted: {
    status: 429,
    type: 'insufficient_quota',
    retry: false,
    next: 'Wait until the budget renews, or raise it with `wattmill budgets set`.',
  },
  concurrency_limit: {
    status: 429,
    type: 'rate_limit_error',
    retry: true,
    next: 'Send fewer requests at once, or raise the limit with `wattmill budgets set`.',
  },
  requests_per_minute: {
    status: 429,
    type: 'rate_limit_error',
    retry: true,
    next: "Wait as `retry-after-ms` says, or raise the key's `--rpm`.",
  },
  tokens_per_minute: {
    status: 429,
    type: 'rate_limit_error',
    retry: true,
    next: "Wait as `retry-after-ms` says, or raise the key's `--tpm`.",
  },
  header_too_large: { status: 431, type: 'invalid_request_error', retry: false, next: 'Send smaller headers.' },
  engine_failed: { status: 502, type: 'upstream_error', retry: true, next: 'Try again; see `wattmill engines list`.' },
  engine_bad_reply: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    next: 'The engine answered what we cannot read; see `wattmill engines probe NAME`.',
  },
  stream_truncated: {
    status: 502,
    type: 'upstream_error',
    retry: true,
    next: "The engine's stream broke off: what came is not a whole answer. Try again.",
  },
  engine_unavailable: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'No engine of this model answers; see `wattmill status` and `wattmill engines list`.',
  },
  overloaded: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'Try again as `retry-after-ms` says, or add a replica with `wattmill engines add`.',
  },
  power_limited: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'The factory is held under its power limit and serves what earns more first; `wattmill cap status` says until when.',
  },
  draining: { status: 503, type: 'overloaded_error', retry: true, next: 'This gateway is shutting down; try again.' },
  not_ready: { status: 503, type: 'overloaded_error', retry: true, next: 'The gateway is starting; see GET /readyz.' },
  journal_unavailable: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'The journal cannot be written or has no room, so nothing is served that could not be booked. See `wattmill doctor`.',
  },
  storage_unavailable: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'The disk has no room for files, or fails. See `wattmill doctor`.',
  },
  response_store_unavailable: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'Kept responses cannot be read or deleted just now: try again, or send the conversation as `input`. See `wattmill doctor`.',
  },
  operator_unavailable: {
    status: 503,
    type: 'overloaded_error',
    retry: true,
    next: 'The operator does not answer; /v1 goes on. See `wattmill status`.',
  },
  timeout: {
    status: 504,
    type: 'timeout_error',
    retry: true,
    next: 'The request took longer than `limits.request_seconds`: ask for fewer tokens.',
  },
  internal_error: { status: 500, type: 'api_error', retry: true, next: 'Report it with the request id.' },
} as const satisfies Record<string, { status: number; type: string; retry: boolean; next: string }>

export type ErrorCode = keyof typeof errorCatalogue

/** Why something was not done: a stable code, a sentence for people, where it is, and when to try again. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  /** The field that is wrong. */
  readonly param?: string
  readonly retry_after_ms?: number
}

export const refusal = (code: ErrorCode, message: string, more: Omit<Refusal, 'code' | 'message'> = {}): Refusal => ({
  code,
  message,
  ...more,
})
