import type { Usage } from '../../books/usage.ts'
import { isFinished } from '../../lines/inference/upstream.ts'
import { wireUsage } from '../../lines/inference/wire-usage.ts'
import type { RequestId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { callDelta, messageOf, reasonOf, wholeCalls } from './calls.ts'
import { embeddingsReply } from './embeddings.ts'
import type { Piece } from './engine.ts'
import { chatLogprobs, TextLikelihoods } from './logprobs.ts'
import type { Receipt } from './receipt.ts'
import { wattmillObject } from './receipt.ts'
import type { ApiRequest } from './request.ts'
import type {
  ChatChoice,
  ChatChunk,
  ChatChunkChoice,
  ChatCompletion,
  ChatDelta,
  Embeddings,
  TextChoice,
  TextChunk,
  TextCompletion,
} from './wire.ts'

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

/** What is sent for one piece: as we write it, or as an upstream did. */
export type SentChunk = ChatChunk | TextChunk | JsonObject

/** Pieces → the chunks of a stream, in the dialect that was asked for. */
export class ChunkRendering {
  readonly #request: ApiRequest
  readonly #identity: Identity
  readonly #likelihoods = new TextLikelihoods()
  #greeted = false
  #called = false

  constructor(request: ApiRequest, identity: Identity) {
    this.#request = request
    this.#identity = identity
  }

  chunks(piece: Piece): SentChunk[] {
    switch (piece.kind) {
      case 'text':
        return this.#text(piece)
      case 'calls':
        this.#called = true
        return [...this.#greeting(), this.#chat({ tool_calls: piece.calls.map(callDelta) })]
      case 'finish':
        return this.#isChat
          ? [...this.#greeting(), this.#chat({}, { finish_reason: reasonOf(piece.why, this.#called) })]
          : [this.#completion('', { finish_reason: piece.why })]
      case 'chunk':
        return [this.#foreign(piece.chunk)]
      default:
        return [] // never part of a stream of chunks
    }
  }

  #text({ text, likelihoods }: Piece & { kind: 'text' }): SentChunk[] {
    if (text === '' && !likelihoods) return []
    return this.#isChat
      ? [...this.#greeting(), this.#chat({ content: text }, { logprobs: chatLogprobs(likelihoods) })]
      : [this.#completion(text, { logprobs: this.#likelihoods.of(likelihoods) })]
  }

  /** The last chunk before `[DONE]`, for a client that asked for usage. */
  usageChunk(receipt: Receipt): ChatChunk | TextChunk {
    const last = { choices: [], usage: wireUsage(receipt.usage), wattmill: wattmillObject(receipt) }
    return this.#isChat
      ? { ...framed('chat.completion.chunk', this.#identity), ...last }
      : { ...framed('text_completion', this.#identity), ...last }
  }

  get #isChat(): boolean {
    return this.#request.dialect === 'chat'
  }

  /** The first chunk names the role, before there is content. */
  #greeting(): ChatChunk[] {
    if (this.#greeted) return []
    this.#greeted = true
    return [this.#chat({ role: 'assistant', content: '' })]
  }

  #chat(delta: ChatDelta, more: Partial<ChatChunkChoice> = {}): ChatChunk {
    const choice = { index: 0, delta, logprobs: null, finish_reason: null, ...more }
    return { ...framed('chat.completion.chunk', this.#identity), choices: [choice], ...this.#noUsage() }
  }

  #completion(text: string, more: Partial<TextChunk['choices'][number]>): TextChunk {
    const choice = { index: 0, text, logprobs: null, finish_reason: null, ...more }
    return { ...framed('text_completion', this.#identity), choices: [choice], ...this.#noUsage() }
  }

  #foreign(chunk: JsonObject): JsonObject {
    const { usage: _, ...rest } = chunk
    const { id, model } = this.#identity
    const frame = framed(this.#isChat ? 'chat.completion.chunk' : 'text_completion', this.#identity)
    return { ...frame, ...rest, id, model, ...this.#noUsage() }
  }

  /** As OpenAI has it: every chunk carries a null where the last one carries the usage, if that was asked for. */
  #noUsage(): { usage?: null } {
    return this.#request.includeUsage ? { usage: null } : {}
  }
}

const framed = <Kind extends string>(object: Kind, { id, created, model }: Identity) => ({ id, object, created, model })

/** Pieces → one answer. An upstream's own passes through, unknown fields too; its usage gives way to the close row's. */
export function wholeReply(
  request: ApiRequest,
  identity: Identity,
  pieces: readonly Piece[],
  usage: Usage,
): ChatCompletion | TextCompletion | Embeddings | JsonObject {
  if (request.dialect === 'embeddings') return embeddingsReply(request, pieces, usage)
  const { id, created, model } = identity
  const shown = wireUsage(usage)
  const used = shown ? { usage: shown } : {}
  const chat = request.dialect === 'chat'
  const foreign = pieces.find((piece) => piece.kind === 'whole')
  if (foreign) {
    const { usage: _, ...rest } = foreign.body
    return { object: chat ? 'chat.completion' : 'text_completion', created, ...rest, id, model, ...used }
  }
  return chat
    ? { ...framed('chat.completion', identity), choices: [chatChoice(pieces)], ...used }
    : { ...framed('text_completion', identity), choices: [textChoice(pieces)], ...used }
}

function saidIn(pieces: readonly Piece[]) {
  const said = pieces.filter((piece) => piece.kind === 'text')
  return {
    text: said.map((piece) => piece.text).join(''),
    likelihoods: said.flatMap((piece) => piece.likelihoods ?? []),
    why: pieces.find((piece) => piece.kind === 'finish')?.why ?? 'stop',
  }
}

function chatChoice(pieces: readonly Piece[]): ChatChoice {
  const { text, likelihoods, why } = saidIn(pieces)
  const calls = wholeCalls(pieces.flatMap((piece) => (piece.kind === 'calls' ? piece.calls : [])))
  return {
    index: 0,
    message: messageOf(text, calls),
    logprobs: chatLogprobs(likelihoods),
    finish_reason: reasonOf(why, calls.length > 0),
  }
}

function textChoice(pieces: readonly Piece[]): TextChoice {
  const { text, likelihoods, why } = saidIn(pieces)
  return { index: 0, text, logprobs: new TextLikelihoods().of(likelihoods), finish_reason: why }
}
