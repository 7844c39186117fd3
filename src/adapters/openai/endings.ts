import type { Outcome } from '../../books/row.ts'
import type { ErrorCode, Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { EngineFailure, EngineFault, Flow } from '../../lines/inference/flow.ts'

const codes: Readonly<Record<EngineFault, ErrorCode>> = {
  unreachable: 'engine_unavailable',
  overloaded: 'overloaded',
  crashed: 'engine_failed',
  timed_out: 'timeout',
  bad_reply: 'engine_bad_reply',
  truncated: 'stream_truncated',
  bad_request: 'engine_refused',
  unsupported: 'unsupported_parameter',
  context_length: 'context_length_exceeded',
  unknown_model: 'model_not_found',
}

/** How a settled request that is not complete is told to its client. */
export function refusalOf(flow: Flow, outcome: Outcome): Refusal {
  switch (outcome) {
    case 'journal_unavailable':
      return refusal('journal_unavailable', 'the request could not be written to the journal')
    case 'denied':
      return flow.denial ?? refusal('answer_denied', 'a guard rail withheld the answer')
    case 'budget_exhausted':
      return refusal(
        'budget_exhausted',
        'a budget ran out before the answer was whole; what was made until then is billed',
      )
    case 'timeout':
      if (flow.cut === 'timeout') return refusal('timeout', 'the request took too long')
      return ofFailure(flow.failure)
    default:
      return ofFailure(flow.failure)
  }
}

const ofFailure = (failure: EngineFailure | undefined): Refusal =>
  failure ? refusalOfFailure(failure) : refusal('engine_unavailable', 'no engine was left to try')

/** What went wrong with an engine, as a client is told. */
export const refusalOfFailure = ({ fault, message }: EngineFailure): Refusal => refusal(codes[fault], message)
