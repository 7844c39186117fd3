import type { Usage } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { tokens } from '../../units/quantity.ts'
import type { JsonObject } from '../http/json.ts'
import { isObject } from '../http/json.ts'
import type { Piece, Told } from './engine.ts'
import { EventParser } from './events.ts'
import { failureOfError } from './upstream-errors.ts'
import { mergeUsage, usageOf } from './usage.ts'

/**
 * Reads an upstream's event stream: tells its content, gathers its usage, and judges at the end whether it was whole.
 *
 * Usage may stand in a last chunk with choices or without, in several, or nowhere. Chunks before the first content are
 * held, so that an attempt that fails before it leaves no trace of itself. A stream that ends without a finish reason
 * for each of its choices and without `[DONE]` broke off: OpenAI's own client would take it for a whole answer.
 */
export class UpstreamStream {
  readonly #engine: string
  readonly #told: (told: Told & { kind: 'chunk' }) => void
  readonly #events = new EventParser()
  readonly #unfinished = new Set<unknown>()
  #finished = false
  #done = false
  #report: JsonObject | undefined
  #before: Piece[] = []
  produced = false

  constructor(engine: string, told: (told: Told & { kind: 'chunk' }) => void) {
    this.#engine = engine
    this.#told = told
  }

  get usage(): Usage | undefined {
    return usageOf(this.#report)
  }

  /** Whether all that was begun was finished, whatever happens to the socket now. */
  get whole(): boolean {
    return this.#done || (this.#finished && this.#unfinished.size === 0)
  }

  /** Takes what came; a failure when it cannot be gone on with. */
  push(bytes: Uint8Array): EngineFailure | undefined {
    let events: string[]
    try {
      events = this.#events.push(bytes)
    } catch {
      return this.#unreadable()
    }
    for (const data of events) {
      const failure = this.#event(data)
      if (failure) return failure
    }
    return undefined
  }

  /** Tells what was still held: an answer without content. */
  flush(): void {
    if (this.#before.length > 0) this.#told({ kind: 'chunk', tokens: tokens(0), bytes: this.#before })
    this.#before = []
  }

  #event(data: string): EngineFailure | undefined {
    if (this.#done) return undefined
    if (data.trim() === '[DONE]') {
      this.#done = true
      return undefined
    }
    const chunk = parse(data)
    if (!chunk) return this.#unreadable()
    if (chunk.error !== undefined && chunk.error !== null) return failureOfError(this.#engine, chunk.error)
    if (isObject(chunk.usage)) this.#report = mergeUsage(this.#report, chunk.usage)
    this.#content(chunk)
    return undefined
  }

  #content(chunk: JsonObject): void {
    const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isObject) : []
    if (choices.length === 0 && isObject(chunk.usage)) return // the usage chunk: ours takes its place
    for (const choice of choices) this.#follow(choice)
    const piece: Piece = { kind: 'chunk', chunk }
    if (!choices.some(hasContent) && !this.produced) return void this.#before.push(piece)
    this.produced = true
    const bytes = [...this.#before, piece]
    this.#before = []
    this.#told({ kind: 'chunk', tokens: tokens(choices.filter(hasContent).length), bytes })
  }

  #follow(choice: JsonObject): void {
    const index = choice.index ?? 0
    if (!isFinished(choice)) return void this.#unfinished.add(index)
    this.#unfinished.delete(index)
    this.#finished = true
  }

  #unreadable(): EngineFailure {
    return { fault: 'bad_reply', message: `engine ${this.#engine} sent an event that is not a chunk` }
  }
}

function parse(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const isFinished = (choice: JsonObject): boolean =>
  choice.finish_reason !== undefined && choice.finish_reason !== null

/** Any field of a delta but the role, in any dialect: content, reasoning, a refusal, a part of a tool call. */
export function hasContent(choice: JsonObject): boolean {
  if (typeof choice.text === 'string' && choice.text !== '') return true
  if (!isObject(choice.delta)) return false
  return Object.entries(choice.delta).some(
    ([field, value]) => field !== 'role' && value !== null && value !== undefined && value !== '' && !isEmpty(value),
  )
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0
