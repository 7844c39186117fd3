import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Piece } from '../openai/engine.ts'
import { type StopReason, stopReasonOf } from './stop-reasons.ts'

/** What a piece of an answer in another language says, in the words of content blocks. */
export type Step =
  | { readonly kind: 'text' | 'thinking'; readonly text: string }
  /** A part of the call with this number: id and name come with its first one. */
  | { readonly kind: 'call'; readonly call: number; readonly id: string; readonly name: string; readonly json: string }
  | { readonly kind: 'stop'; readonly reason: StopReason; readonly sequence: string | null }

/** Follows an answer piece by piece. `stops`: the client's stop strings, one of which may have ended it. */
export class Steps {
  readonly #stops: readonly unknown[]
  #called = false

  constructor(stops: unknown) {
    this.#stops = Array.isArray(stops) ? stops : []
  }

  of(piece: Piece): readonly Step[] {
    switch (piece.kind) {
      case 'text':
        return said('text', piece.text)
      case 'calls':
        this.#called = true
        return piece.calls.map(({ index, id = '', name = '', arguments: json }) => ({
          kind: 'call',
          call: index,
          id,
          name,
          json,
        }))
      case 'finish':
        return [this.#stop(piece.why, piece.stop)]
      case 'chunk':
        return this.#choice(piece.chunk, 'delta')
      case 'whole':
        return this.#choice(piece.body, 'message')
      default:
        return []
    }
  }

  /** One answer was asked for: the first choice is all there is. */
  #choice({ choices }: JsonObject, field: 'delta' | 'message'): Step[] {
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
    if (!isObject(choice)) return []
    const delta = isObject(choice[field]) ? choice[field] : {}
    const calls = Array.isArray(delta.tool_calls) ? delta.tool_calls.filter(isObject) : []
    this.#called ||= calls.length > 0
    const finish = choice.finish_reason
    return [
      // Two names for the same: most engines and DeepSeek say the one, newer vLLM and OpenRouter the other.
      ...said('thinking', delta.reasoning_content ?? delta.reasoning),
      ...said('text', delta.content),
      ...said('text', delta.refusal),
      ...calls.map(callStep),
      ...(typeof finish === 'string' ? [this.#stop(finish, choice.stop_reason)] : []),
    ]
  }

  /** Engines say `stop` for a stop string as well; vLLM and SGLang name it beside. */
  #stop(finish: string, matched: unknown): Step {
    if (finish === 'stop' && typeof matched === 'string' && this.#stops.includes(matched))
      return { kind: 'stop', reason: 'stop_sequence', sequence: matched }
    const reason = stopReasonOf(this.#called && finish === 'stop' ? 'tool_calls' : finish)
    return { kind: 'stop', reason, sequence: null }
  }
}

const said = (kind: 'text' | 'thinking', text: unknown): Step[] =>
  typeof text === 'string' && text !== '' ? [{ kind, text }] : []

function callStep(call: JsonObject, place: number): Step {
  const { name, arguments: json } = isObject(call.function) ? call.function : {}
  return {
    kind: 'call',
    call: typeof call.index === 'number' ? call.index : place,
    id: typeof call.id === 'string' ? call.id : '',
    name: typeof name === 'string' ? name : '',
    json: typeof json === 'string' ? json : '',
  }
}
