import type { BatchLine } from '../../../adapters/openai/batch-line.ts'
import { answerLine, dialectOf, refusalLine } from '../../../adapters/openai/batch-line.ts'
import { refusalOf } from '../../../adapters/openai/endings.ts'
import type { Piece } from '../../../adapters/openai/engine.ts'
import { receiptOf } from '../../../adapters/openai/receipt.ts'
import { openaiRendering } from '../../../adapters/openai/rendering.ts'
import { identity } from '../../../adapters/openai/reply.ts'
import type { FactorySnapshot } from '../../../adapters/operator/contract.ts'
import { answerCheck } from '../../../adapters/rails/answer.ts'
import type { CloseRow, Outcome } from '../../../books/row.ts'
import { isBilled } from '../../../books/row.ts'
import type { Batch } from '../../../lines/inference/batch/batch.ts'
import type { Refusal } from '../../../lines/inference/errors.ts'
import { refusal } from '../../../lines/inference/errors.ts'
import type { Ending, Flow } from '../../../lines/inference/flow.ts'
import { newFlow } from '../../../lines/inference/flow.ts'
import type { Grant } from '../../../lines/inference/snapshot.ts'
import type { RequestId } from '../../../units/ids.ts'
import type { Seconds } from '../../../units/quantity.ts'
import { HeldReply, trouble } from '../answers.ts'
import { askOf, railsOf } from '../generate.ts'
import { railedAnswer } from '../railed.ts'
import type { State } from '../state.ts'
import { nextId } from '../state.ts'
import { parserOf, understand } from '../understand.ts'
import type { Answer } from '../world.ts'

/** How one try of a line ended. */
export type LineEnd =
  /** Billed, and durable in the journal together with what bills it. */
  | { readonly kind: 'answered'; readonly id: RequestId; readonly text: string }
  /** Nothing was billed. */
  | { readonly kind: 'refused'; readonly id: RequestId; readonly refusal: Refusal }

/** Which batch a line is of: in the journal, and whose limits bind it. */
export interface LineOf {
  readonly batch: Batch
  readonly key: string
}

/**
 * Asks one line once: into the line as every other request, as class `batch`. Told once; never within the call. The flow is
 * undefined where the line was not even asked.
 */
export function askLine(
  state: State,
  { batch, key }: LineOf,
  line: BatchLine,
  told: (end: LineEnd) => void,
): Flow | undefined {
  const id = nextId(state)
  const refuse = (why: Refusal): undefined => {
    queueMicrotask(() => told({ kind: 'refused', id, refusal: why }))
  }
  const { snapshot } = state
  if (!snapshot) return refuse(refusal('not_ready', 'the gateway has not heard from the operator yet'))
  const grant = grantOf(snapshot, batch, state.now())
  if ('code' in grant) return refuse(grant)
  const understood = understand(parserOf(dialectOf[batch.endpoint], {}), line.body, grant, snapshot)
  if (!understood.ok) return refuse(understood.refusal)
  const { request } = understood
  const flow = newFlow(id, askOf(request, grant, snapshot, 'batch', 0), snapshot, state.now())
  const held = new HeldReply(openaiRendering(request, identity(request, id, state.now())))
  const later = (end: LineEnd): void => queueMicrotask(() => told(end))
  const answer = new LineAnswer(state, flow, { custom_id: line.custom_id, key, held, told: later })
  const check = answerCheck(railsOf(flow, request))
  const deny = (why: Refusal): void => state.world.tell(flow, { kind: 'denied', refusal: why })
  state.world.begin(flow, check ? railedAnswer(flow, answer, check, deny) : answer)
  return flow
}

/** The key that handed the batch in, as it stands now: a revoked one asks nothing more. */
function grantOf({ grants }: FactorySnapshot, batch: Batch, now: Seconds): Grant | Refusal {
  const grant = grants.values().find(({ key }) => key === batch.key)
  if (!grant) return refusal('invalid_api_key', 'the API key that handed in the batch was revoked')
  if (grant.expires_ms !== null && grant.expires_ms <= now * 1000)
    return refusal('expired_api_key', 'the API key that handed in the batch has expired')
  return grant
}

interface Parts {
  readonly custom_id: string
  readonly key: string
  readonly held: HeldReply
  readonly told: (end: LineEnd) => void
}

/** Holds the answer until it is settled. Whatever is billed is kept with its close row, so that it is billed once. */
class LineAnswer implements Answer {
  readonly #state: State
  readonly #flow: Flow
  readonly #parts: Parts
  #text: string | undefined

  constructor(state: State, flow: Flow, parts: Parts) {
    this.#state = state
    this.#flow = flow
    this.#parts = parts
  }

  write(pieces: readonly Piece[]): void {
    if (!this.#parts.held.takes(pieces)) this.#state.world.tell(this.#flow, { kind: 'client_closed' })
  }

  release(): void {}

  kept(row: CloseRow): { batch: string; body: string } | undefined {
    if (!isBilled(row.outcome)) return undefined
    const { custom_id, key, held } = this.#parts
    const receipt = receiptOf(row, this.#flow.snapshot.prices)
    this.#text =
      row.outcome === 'complete'
        ? answerLine(custom_id, row.id, held.body(receipt), receipt)
        : refusalLine(custom_id, row.id, this.#why(row.outcome))
    return { batch: key, body: this.#text }
  }

  /** Billed, and no answer: it is we who left when it grew too long. */
  #why(outcome: Outcome): Refusal {
    const tooLong = outcome === 'client_closed'
    return tooLong
      ? refusal('engine_bad_reply', 'the answer is longer than any answer may be')
      : refusalOf(this.#flow, outcome)
  }

  finish(flow: Flow, ending: Ending): void {
    const { told } = this.#parts
    if (ending.kind === 'settled' && isBilled(ending.outcome) && this.#text !== undefined)
      return told({ kind: 'answered', id: flow.id, text: this.#text })
    const why = trouble(flow, ending, { draining: () => this.#state.draining })
    told({ kind: 'refused', id: flow.id, refusal: why ?? refusal('internal_error', 'the request was not settled') })
  }
}
