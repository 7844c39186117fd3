import type { Usage } from '../../books/usage.ts'
import { isFinished } from '../../lines/inference/upstream.ts'
import { wireUsage } from '../../lines/inference/wire-usage.ts'
import type { RequestId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { callDelta, messageOf, reasonOf, wholeCalls } from './calls.ts'
import { embeddingsReply } from './embeddings.ts'
import type { Piece } from './engine.ts'
import { LogprobsRendering } from './logprobs.ts'
import type { Receipt } from './receipt.ts'
import { wattmillObject } from './receipt.ts'
import type { ApiRequest } from './request.ts'

/** What all chunks of one answer, or the answer itself, have in common. */
export interface Identity {
  readonly id: string
  readonly created: number
  readonly model: string
}

export const identity = (request: ApiRequest, id: RequestId, unixSeconds: number): Identity => ({
  id: `${request.dialect === 'chat' ? 'chatcmpl' : 'cmpl'}-${id}`,
  created: Math.floor(unixSeconds),
  model: request.model,
})

/** A piece that says how it ended is the last of its choice: it waits until the request is settled. */
export function endsChoice(piece: Piece): boolean {
  if (piece.kind === 'finish') return true
  if (piece.kind === 'event') return piece.event.type === 'message_delta'
  if (piece.kind !== 'chunk' || !Array.isArray(piece.chunk.choices)) return false
  return piece.chunk.choices.some((choice) => isObject(choice) && isFinished(choice))
}

/** Pieces → the chunks of a stream, in the dialect that was asked for. */
export class ChunkRendering {
  readonly #request: ApiRequest
  readonly #identity: Identity
  readonly #logprobs: LogprobsRendering
  #greeted = false
  #called = false

  constructor(request: ApiRequest, identity: Identity) {
    this.#request = request
    this.#identity = identity
    this.#logprobs = new LogprobsRendering(request.dialect)
  }

  chunks(piece: Piece): JsonObject[] {
    switch (piece.kind) {
      case 'text':
        return this.#text(piece)
      case 'calls':
        this.#called = true
        return [
          ...this.#greeting(),
          this.#chunk({ delta: { tool_calls: piece.calls.map(callDelta) }, finish_reason: null }),
        ]
      case 'finish':
        return this.#request.dialect === 'chat'
          ? [...this.#greeting(), this.#chunk({ delta: {}, finish_reason: reasonOf(piece.why, this.#called) })]
          : [this.#chunk({ text: '', finish_reason: piece.why })]
      case 'chunk':
        return [this.#foreign(piece.chunk)]
      default:
        return [] // never part of a stream of chunks
    }
  }

  #text({ text, likelihoods }: Piece & { kind: 'text' }): JsonObject[] {
    if (text === '' && !likelihoods) return []
    const more = { finish_reason: null, logprobs: likelihoods ? this.#logprobs.of(likelihoods) : null }
    return this.#request.dialect === 'chat'
      ? [...this.#greeting(), this.#chunk({ delta: { content: text }, ...more })]
      : [this.#chunk({ text, ...more })]
  }

  /** The last chunk before `[DONE]`, for a client that asked for usage. */
  usageChunk(receipt: Receipt): JsonObject {
    return {
      ...this.#frame(),
      choices: [],
      usage: wireUsage(receipt.usage),
      wattmill: wattmillObject(receipt),
    }
  }

  /** The first chunk names the role, before there is content. */
  #greeting(): JsonObject[] {
    if (this.#greeted) return []
    this.#greeted = true
    return [this.#chunk({ delta: { role: 'assistant', content: '' }, finish_reason: null })]
  }

  #chunk(choice: JsonObject): JsonObject {
    return { ...this.#frame(), choices: [{ index: 0, logprobs: null, ...choice }], ...this.#noUsage() }
  }

  #foreign(chunk: JsonObject): JsonObject {
    const { usage: _, ...rest } = chunk
    return { ...this.#frame(), ...rest, id: this.#identity.id, model: this.#identity.model, ...this.#noUsage() }
  }

  /** As OpenAI has it: every chunk carries a null where the last one carries the usage, if that was asked for. */
  #noUsage(): JsonObject {
    return this.#request.includeUsage ? { usage: null } : {}
  }

  #frame(): JsonObject {
    const { id, created, model } = this.#identity
    return {
      id,
      object: this.#request.dialect === 'chat' ? 'chat.completion.chunk' : 'text_completion',
      created,
      model,
    }
  }
}

/** Pieces → one answer. An upstream's own passes through, unknown fields too; its usage gives way to the close row's. */
export function wholeReply(
  request: ApiRequest,
  { id, created, model }: Identity,
  pieces: readonly Piece[],
  usage: Usage,
): JsonObject {
  if (request.dialect === 'embeddings') return embeddingsReply(request, pieces, usage)
  const shown = wireUsage(usage)
  const chat = request.dialect === 'chat'
  const object = chat ? 'chat.completion' : 'text_completion'
  const foreign = pieces.find((piece) => piece.kind === 'whole')
  if (foreign) {
    const { usage: _, ...rest } = foreign.body
    return { object, created, ...rest, id, model, ...(shown ? { usage: shown } : {}) }
  }
  const said = pieces.filter((piece) => piece.kind === 'text')
  const text = said.map((piece) => piece.text).join('')
  const likelihoods = said.flatMap((piece) => piece.likelihoods ?? [])
  const logprobs = likelihoods.length > 0 ? new LogprobsRendering(request.dialect).of(likelihoods) : null
  const calls = wholeCalls(pieces.flatMap((piece) => (piece.kind === 'calls' ? piece.calls : [])))
  const why = pieces.find((piece) => piece.kind === 'finish')?.why ?? 'stop'
  const finish_reason = reasonOf(why, calls.length > 0)
  const choice = chat ? { message: messageOf(text, calls) } : { text }
  return {
    id,
    object,
    created,
    model,
    choices: [{ index: 0, ...choice, logprobs, finish_reason }],
    ...(shown ? { usage: shown } : {}),
  }
}
