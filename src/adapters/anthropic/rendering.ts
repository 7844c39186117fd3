import { missingUsage } from '../../books/usage.ts'
import { mergeUsage } from '../../lines/inference/wire-usage.ts'
import type { RequestId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { StreamEvent } from '../http/sse.ts'
import type { Piece } from '../openai/engine.ts'
import { type Receipt, wattmillObject } from '../openai/receipt.ts'
import type { Rendering, StreamRendering } from '../openai/rendering.ts'
import { endsChoice } from '../openai/reply.ts'
import type { ApiRequest } from '../openai/request.ts'
import { BlockEvents, type NewId, wholeBlocks } from './blocks-out.ts'
import { messagesError } from './errors.ts'
import { type MessageIdentity, messageDelta, messageOf, messageStart, messageStop, type Stop } from './message.ts'
import { type Step, Steps } from './steps.ts'
import { messagesUsage } from './usage.ts'

/** Each event is named by its type. */
const named = (event: JsonObject): StreamEvent => ({ name: String(event.type), data: JSON.stringify(event) })

const ping = named({ type: 'ping' })

/** An answer as Anthropic's API gives it. What an engine with that API said passes through, but for id, model and usage. */
export function messagesRendering(request: ApiRequest, requestId: RequestId): Rendering {
  const identity = { id: `msg_${requestId}`, model: request.model }
  const newId: NewId = (call) => `toolu_${requestId}_${call}`
  return {
    error: messagesError,
    heart: `event: ping\ndata: ${ping.data}\n\n`,
    broken: (refusal, id) => named({ ...messagesError(refusal, id) }),
    stream: (begun) => new MessageStream(request, identity, newId, begun),
    whole(pieces, receipt) {
      const usage = messagesUsage(receipt?.usage ?? missingUsage)
      const native = pieces.find((piece) => piece.kind === 'message')?.body
      if (native) return { ...native, ...identity, usage: { ...(isObject(native.usage) && native.usage), ...usage } }
      const stepping = new Steps(request.body.stop_sequences)
      const steps = pieces.flatMap((piece) => stepping.of(piece))
      return messageOf(identity, wholeBlocks(steps, newId), stopIn(steps) ?? ended, usage)
    },
  }
}

/** An engine that ended in good order without a reason had said all. */
const ended: Stop = { stop_reason: 'end_turn', stop_sequence: null }

const stopIn = (steps: readonly Step[]): Stop | undefined => {
  const stop = steps.find((step) => step.kind === 'stop')
  return stop && { stop_reason: stop.reason, stop_sequence: stop.sequence }
}

/** Pieces → events from `message_start` to `message_stop`. */
class MessageStream implements StreamRendering {
  readonly #identity: MessageIdentity
  readonly #begun: Parameters<Rendering['stream']>[0]
  readonly #steps: Steps
  readonly #blocks: BlockEvents
  #greeted = false
  #stop = ended
  /** What an engine with the same API said at its end. */
  #delta: JsonObject = {}
  #report: JsonObject = {}

  constructor(request: ApiRequest, identity: MessageIdentity, newId: NewId, begun: Parameters<Rendering['stream']>[0]) {
    this.#identity = identity
    this.#begun = begun
    this.#steps = new Steps(request.body.stop_sequences)
    this.#blocks = new BlockEvents(newId)
  }

  events(piece: Piece): readonly StreamEvent[] {
    if (piece.kind === 'event') return this.#native(piece.event)
    const steps = this.#steps.of(piece)
    this.#stop = stopIn(steps) ?? this.#stop
    return steps.flatMap((step) => [...this.#greeting(), ...this.#blocks.of(step).map(named)])
  }

  holds(piece: Piece): boolean {
    return endsChoice(piece)
  }

  end(receipt: Receipt | undefined): readonly StreamEvent[] {
    const booked = messagesUsage(receipt?.usage ?? missingUsage)
    const { type, delta, usage } = messageDelta(this.#stop, booked)
    const native = { delta: { ...delta, ...this.#delta }, usage: { ...usage, ...this.#report, ...booked } }
    const settled = receipt ? { wattmill: wattmillObject(receipt) } : {}
    return [
      ...this.#greeting(),
      ...this.#blocks.close().map(named),
      named({ type, ...native, ...settled }),
      named(messageStop),
    ]
  }

  #native(event: JsonObject): readonly StreamEvent[] {
    switch (event.type) {
      case 'message_start':
        return this.#greeting(isObject(event.message) ? event.message : undefined)
      case 'message_delta':
        if (isObject(event.delta)) this.#delta = mergeUsage(this.#delta, event.delta)
        if (isObject(event.usage)) this.#report = mergeUsage(this.#report, event.usage)
        return this.#greeting()
      case 'message_stop':
      case 'ping':
        return []
      default:
        return [...this.#greeting(), named(event)]
    }
  }

  /** The input is told as far as the engine has said it, else as zero: what counts is in `message_delta`. */
  #greeting(native?: JsonObject): readonly StreamEvent[] {
    if (this.#greeted) return []
    this.#greeted = true
    const begun = this.#begun()
    const { type, message } = messageStart(this.#identity, {
      input_tokens: begun?.input_uncached ?? 0,
      cache_read_input_tokens: begun?.cache_read ?? 0,
    })
    return [named({ type, message: { ...message, ...native, ...this.#identity } }), ping]
  }
}
