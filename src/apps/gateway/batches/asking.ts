import type { IncomingMessage, ServerResponse } from 'node:http'
import { refuseBody } from '../../../adapters/http/body.ts'
import type { Refusal } from '../../../lines/inference/errors.ts'
import { refusal } from '../../../lines/inference/errors.ts'
import type { Grant } from '../../../lines/inference/snapshot.ts'
import type { RequestId } from '../../../units/ids.ts'
import { caller } from '../receive.ts'
import type { State } from '../state.ts'
import { faultName } from './run.ts'

/** A request about files or batches, by a key that is known. */
export interface Asking {
  readonly state: State
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly id: RequestId
  readonly grant: Grant
  readonly query: URLSearchParams
  /** Ids in the path. */
  readonly subject: string
  refuse(why: Refusal): void
}

/** What a handler refuses, thrown to where it is answered. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly refusal: Refusal

  constructor(why: Refusal) {
    super(why.message)
    this.refusal = why
  }
}

export const refuse = (...why: Parameters<typeof refusal>): never => {
  throw new Refused(refusal(...why))
}

/** Says who asks, or refuses; what a handler throws is answered. */
export const asking =
  (handle: (asking: Asking) => Promise<void>) =>
  (state: State, request: IncomingMessage, response: ServerResponse, id: RequestId, path: string): void => {
    const no = (why: Refusal): void => {
      state.measures.refused(why)
      refuseBody(request, response, why, id)
    }
    const found = caller(state, request)
    if ('code' in found) return no(found)
    const query = new URL(request.url ?? '/', 'http://gateway').searchParams
    const subject = path.split('/')[3] ?? ''
    const about = { state, request, response, id, grant: found.grant, query, subject, refuse: no }
    handle(about).catch((error: unknown) => {
      if (!response.destroyed) no(refusalFor(error, state)) // else the client left, and nobody is there to be told
    })
  }

function refusalFor(error: unknown, state: State): Refusal {
  if (error instanceof Refused) return error.refusal
  const fault = faultName(error)
  state.log.warn('files', { message: fault })
  return /^E[A-Z]+$/.test(fault)
    ? refusal('storage_unavailable', `the disk answered ${fault}`)
    : refusal('internal_error', 'something broke in the gateway')
}

export interface Page<Id> {
  readonly ids: readonly Id[]
  readonly more: boolean
}

/** A part of a list whose ids sort by age, newest first: at most `limit` after an id, which need not be there any more. */
export function pageOf<Id extends string>(
  ids: readonly Id[],
  query: URLSearchParams,
  usual: number,
  most: number,
): Page<Id> {
  const after = query.get('after')
  const limit = Number(query.get('limit') ?? usual)
  if (!Number.isInteger(limit) || limit < 1 || limit > most)
    refuse('invalid_value', `"limit" must be a whole number from 1 to ${most}`, { param: 'limit' })
  const order = query.get('order') ?? 'desc'
  if (order !== 'asc' && order !== 'desc') refuse('invalid_value', '"order" must be asc or desc', { param: 'order' })
  const sorted = order === 'asc' ? [...ids].reverse() : ids
  const rest = after === null ? sorted : sorted.filter((each) => (order === 'asc' ? each > after : each < after))
  return { ids: rest.slice(0, limit), more: rest.length > limit }
}
