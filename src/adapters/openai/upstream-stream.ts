import type { Usage } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { UpstreamAnswer } from '../../lines/inference/upstream.ts'
import type { JsonObject } from '../../units/json.ts'
import type { Tokens } from '../../units/quantity.ts'
import { tokens } from '../../units/quantity.ts'
import { parseReply } from '../http/json.ts'
import type { Told } from './engine.ts'
import { EventParser } from './events.ts'
import type { UsageQuirks } from './presets/preset.ts'
import { withPlainUsage } from './presets/quirks.ts'
import { failureOfError } from './upstream-errors.ts'

/** What may come before the first content: a keep-alive of 200 bytes each second for ten hours. */
export const mostSilent = 8 * 1024 * 1024

/** Bytes of an upstream's event stream → events → what `UpstreamAnswer` makes of them. */
export class UpstreamStream {
  readonly #engine: string
  readonly #told: (told: Told & { kind: 'chunk' }) => void
  readonly #events = new EventParser()
  readonly #answer = new UpstreamAnswer()
  readonly #usage: UsageQuirks
  /** Characters that came before the first content. */
  #silent = 0

  constructor(
    engine: string,
    told: (told: Told & { kind: 'chunk' }) => void,
    usage: UsageQuirks = { includesCached: true },
  ) {
    this.#engine = engine
    this.#told = told
    this.#usage = usage
  }

  get usage(): Usage | undefined {
    return this.#answer.usage
  }

  get whole(): boolean {
    return this.#answer.whole
  }

  get produced(): boolean {
    return this.#answer.produced
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
    const held = this.#answer.rest()
    if (held.length > 0) this.#tell(tokens(0), held)
  }

  #event(data: string): EngineFailure | undefined {
    if (this.#answer.isDone) return undefined
    if (data.trim() === '[DONE]') {
      this.#answer.done()
      return undefined
    }
    const chunk = parseReply(data)
    if (!chunk) return this.#unreadable()
    // Chunks before the first content are held: one that sends nothing else has no bound of its own.
    if (!this.#answer.produced) this.#silent += data.length
    if (this.#silent > mostSilent) return this.#unreadable()
    const reading = this.#answer.chunk(withPlainUsage(chunk, this.#usage))
    if (reading.kind === 'error') return failureOfError(this.#engine, reading.error)
    if (reading.kind === 'content') this.#tell(reading.tokens, reading.chunks)
    return undefined
  }

  #tell(count: Tokens, chunks: readonly JsonObject[]): void {
    this.#told({ kind: 'chunk', tokens: count, bytes: chunks.map((chunk) => ({ kind: 'chunk', chunk })) })
  }

  #unreadable(): EngineFailure {
    return { fault: 'bad_reply', message: `engine ${this.#engine} sent an event that is not a chunk` }
  }
}
