import type { Usage } from '../../books/usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import type { Tokens } from '../../units/quantity.ts'
import { tokens } from '../../units/quantity.ts'
import { mergeUsage, usageOf } from './wire-usage.ts'

/** What an event of the stream comes to. */
export type Reading =
  | { readonly kind: 'nothing' }
  /** Chunks for the client, the held ones first, and how many carried content. */
  | { readonly kind: 'content'; readonly tokens: Tokens; readonly chunks: readonly JsonObject[] }
  | { readonly kind: 'error'; readonly error: unknown }

const nothing: Reading = { kind: 'nothing' }

/**
 * An upstream's stream, event by event: its content, its usage, and at the end whether it was whole.
 *
 * Usage may stand in a last chunk with choices or without, in several, or nowhere. Chunks before the first content are
 * held, so that an attempt that fails before it leaves no trace of itself. A stream that ends without a finish reason
 * for each of its choices and without `[DONE]` broke off: OpenAI's own client would take it for a whole answer.
 */
export class UpstreamAnswer {
  readonly #unfinished = new Set<unknown>()
  #finished = false
  #done = false
  #report: JsonObject | undefined
  #before: JsonObject[] = []
  produced = false

  get usage(): Usage | undefined {
    return usageOf(this.#report)
  }

  /** Whether all that was begun was finished, whatever happens to the connection now. */
  get whole(): boolean {
    return this.#done || (this.#finished && this.#unfinished.size === 0)
  }

  /** `[DONE]` has come: what comes after it is not read. */
  get isDone(): boolean {
    return this.#done
  }

  done(): void {
    this.#done = true
  }

  chunk(chunk: JsonObject): Reading {
    if (this.#done) return nothing
    if (chunk.error !== undefined && chunk.error !== null) return { kind: 'error', error: chunk.error }
    if (isObject(chunk.usage)) this.#report = mergeUsage(this.#report, chunk.usage)
    return this.#content(chunk)
  }

  /** What is still held at the end: an answer without content. */
  rest(): readonly JsonObject[] {
    return this.#before.splice(0)
  }

  #content(chunk: JsonObject): Reading {
    const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isObject) : []
    if (choices.length === 0 && isObject(chunk.usage)) return nothing // the usage chunk: ours takes its place
    for (const choice of choices) this.#follow(choice)
    const carrying = choices.filter(hasContent).length
    if (carrying === 0 && !this.produced) {
      this.#before.push(chunk)
      return nothing
    }
    this.produced = true
    return { kind: 'content', tokens: tokens(carrying), chunks: [...this.#before.splice(0), chunk] }
  }

  #follow(choice: JsonObject): void {
    const index = choice.index ?? 0
    if (!isFinished(choice)) return void this.#unfinished.add(index)
    this.#unfinished.delete(index)
    this.#finished = true
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
