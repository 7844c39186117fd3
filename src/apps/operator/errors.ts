import { RegistryError, type RegistryFault } from '../../adapters/sqlite/registry/change.ts'
import { faultOf, StoreError, type StoreFault } from '../../adapters/sqlite/store-error.ts'
import { NoExchangeRate } from '../../books/exchange/tenant-exchange.ts'

/**
 * Every error of the control API and of the command line, once: HTTP status, exit code of the command, and the next step
 * where the error itself knows no better one. `docs/errors.md` is made from this table too.
 */
export const controlCatalogue = {
  invalid_json: { status: 400, exit: 2, next: 'Send one JSON object as the body.' },
  invalid_value: { status: 400, exit: 2, next: 'Correct the field that `param` names.' },
  unknown_field: { status: 400, exit: 2, next: 'Leave the field out; the message names the nearest one.' },
  unauthorized: { status: 401, exit: 4, next: 'Send `Authorization: Bearer …` with the key in admin.key.' },
  forbidden: { status: 403, exit: 4, next: 'Use a key with that role: wattmill admins create NAME --role ROLE' },
  csrf: { status: 403, exit: 4, next: 'Send the header `x-wattmill: 1` with changes made by cookie.' },
  not_found: { status: 404, exit: 3, next: 'wattmill status' },
  route_not_found: { status: 404, exit: 3, next: 'Check the path; docs/api.md lists the routes.' },
  method_not_allowed: { status: 405, exit: 2, next: 'Use the method that the `allow` header names.' },
  conflict: { status: 409, exit: 4, next: 'wattmill status' },
  body_too_large: { status: 413, exit: 2, next: 'Send a smaller body; 1 MiB is the most.' },
  model_file_invalid: { status: 422, exit: 4, next: 'Download the file again, or convert it to GGUF.' },
  model_load_failed: { status: 422, exit: 4, next: 'Use a GGUF file whose architecture llama.cpp supports.' },
  hash_mismatch: {
    status: 422,
    exit: 4,
    next: 'Run the command again; if it stays, the file at its source is another.',
  },
  confirmation_needed: { status: 400, exit: 2, next: 'Add --yes.' },
  trainer_missing: { status: 501, exit: 4, next: 'npm install --save-dev --save-exact @jax-js/jax@0.1.25' },
  training_failed: { status: 500, exit: 1, next: 'Run the command again: it goes on from its last checkpoint.' },
  too_many_attempts: { status: 429, exit: 4, next: 'Wait a minute, then use the key in admin.key.' },
  too_many_calls: { status: 429, exit: 4, next: 'Wait a minute, and ask less often.' },
  beyond_own_rights: { status: 403, exit: 4, next: 'Ask for no more than the key has that you came with.' },
  key_quota_reached: {
    status: 409,
    exit: 4,
    next: 'Revoke a key; or ask those who run the factory: wattmill tenants set TENANT --key-quota N',
  },
  no_exchange_rate: {
    status: 409,
    exit: 4,
    next: 'Declare a rate for that day, or for one before: wattmill rates set CURRENCY RATE --day DAY',
  },
  internal_error: { status: 500, exit: 1, next: 'wattmill doctor' },
  engine_unreachable: { status: 502, exit: 4, next: 'Check the URL and that the engine runs.' },
  engine_bad_reply: {
    status: 502,
    exit: 4,
    next: 'Check that the URL is the base of an API as OpenAI or Anthropic has it, such as …/v1.',
  },
  download_failed: { status: 502, exit: 4, next: 'Run the command again: it goes on from where it stopped.' },
  engine_host_down: { status: 503, exit: 5, next: 'wattmill status' },
  draining: { status: 503, exit: 5, next: 'Try again in a moment; see wattmill status.' },
  factory_unreachable: { status: 503, exit: 5, next: 'wattmill up' },
  no_factory: { status: 404, exit: 3, next: 'wattmill up' },
  store_locked: { status: 503, exit: 5, next: 'wattmill status' },
  store_corrupt: { status: 500, exit: 1, next: 'Stop the factory and restore wattmill.db from a copy.' },
  newer_schema: { status: 500, exit: 1, next: 'Use the newer Wattmill that made this home, or another --home.' },
  pepper_missing: {
    status: 500,
    exit: 1,
    next: 'Restore the file `pepper` of this home, or copy it from a home that shares its store: without it no key can be recognised.',
  },
  home_in_use: { status: 409, exit: 4, next: 'wattmill status   (or choose another --home)' },
  port_in_use: { status: 409, exit: 4, next: 'wattmill up --port 0   (any free port)' },
  bad_certificate: {
    status: 400,
    exit: 2,
    next: 'Give a PEM certificate chain and its key without a passphrase: --tls-cert FILE --tls-key FILE',
  },
  admin_key_unfit: {
    status: 403,
    exit: 7,
    next: 'Remove admin.key (it is made anew) or chmod 600 it; or listen on this machine only: --host 127.0.0.1',
  },
  bad_config: { status: 400, exit: 2, next: 'Correct wattmill.yaml, or start without --config.' },
  no_permission: { status: 403, exit: 7, next: 'Choose a folder that you may write: --home DIR' },
  disk_full: { status: 507, exit: 7, next: 'Free some space, or choose another --home.' },
  store_unreachable: {
    status: 503,
    exit: 5,
    next: 'Start the database, or mend the way to it; nothing is lost, the gateways keep their journals.',
  },
  disk_failed: { status: 500, exit: 7, next: "Look at the disk's health; the gateways keep their journals." },
  start_failed: { status: 500, exit: 1, next: 'wattmill doctor' },
} as const satisfies Record<string, { status: number; exit: number; next: string }>

export type ControlCode = keyof typeof controlCatalogue

/** As the control API sends it, and as `-o json` prints it. */
export interface ErrorBody {
  readonly error: {
    readonly code: ControlCode
    readonly message: string
    readonly param?: string
    readonly next: string
  }
}

/** Something asked of the operator or the command line was not done. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: ControlCode
  readonly param: string | undefined
  readonly next: string

  constructor(
    code: ControlCode,
    message: string,
    more: { param?: string | undefined; next?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.code = code
    this.param = more.param
    this.next = more.next ?? controlCatalogue[code].next
  }

  get body(): ErrorBody {
    const { code, message, param, next } = this
    return { error: { code, message, ...(param !== undefined && { param }), next } }
  }
}

const codeOfFault: Record<RegistryFault, ControlCode> = {
  invalid: 'invalid_value',
  not_found: 'not_found',
  conflict: 'conflict',
}

/** Codes by which the world says that it is full or closed to us. */
const codeOfSystem: Readonly<Record<string, ControlCode>> = {
  EACCES: 'no_permission',
  EPERM: 'no_permission',
  EROFS: 'no_permission',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
}

const codeOfStore: Record<StoreFault, ControlCode> = {
  locked: 'store_locked',
  corrupt: 'store_corrupt',
  full: 'disk_full',
  no_permission: 'no_permission',
  newer_schema: 'newer_schema',
  io: 'disk_failed',
  unreachable: 'store_unreachable',
}

/** Whatever was thrown, as an error with a code; what we did not foresee is ours, and its text stays out of the answer. */
export function asControlError(cause: unknown): ControlError {
  if (cause instanceof ControlError) return cause
  if (cause instanceof RegistryError) return new ControlError(codeOfFault[cause.fault], cause.message, cause)
  if (cause instanceof NoExchangeRate)
    return new ControlError('no_exchange_rate', cause.message, {
      next: `wattmill rates set ${cause.currency} RATE --day ${cause.day}   (or a day before)`,
      cause,
    })
  if (cause instanceof StoreError)
    return new ControlError(codeOfStore[cause.fault], cause.message, { next: cause.next, cause })
  const { code, message } = (cause ?? {}) as { code?: string; message?: string }
  const fault = faultOf(cause)
  const known = fault ? codeOfStore[fault] : codeOfSystem[code ?? '']
  if (known) return new ControlError(known, message ?? known, { cause })
  return new ControlError('internal_error', 'the operator failed on this request; its log says why', { cause })
}
