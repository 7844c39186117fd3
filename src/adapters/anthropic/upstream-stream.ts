import type { Usage } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { mergeUsage } from '../../lines/inference/wire-usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { tokens } from '../../units/quantity.ts'
import { parseReply } from '../http/json.ts'
import type { Piece, Told } from '../openai/engine.ts'
import { EventParser } from '../openai/events.ts'
import { mostSilent } from '../openai/upstream-stream.ts'
import { failureOfEvent } from './upstream-errors.ts'
import { usageOfReport } from './usage.ts'

/** An event in the words in which the client asked; undefined: it has none for it. */
export type Saying = (event: JsonObject) => Piece | undefined

/**
 * Bytes of an upstream's stream → pieces for the client, its usage, and at the end whether it was whole.
 *
 * What comes before the first content is held, so that an attempt that fails before it leaves no trace of itself. It is
 * whole when it has said why it stopped: without that it broke off, however it ended.
 */
export class MessagesStream {
  readonly #engine: string
  readonly #say: Saying
  readonly #told: (told: Told & { kind: 'chunk' }) => void
  readonly #events = new EventParser()
  #report: JsonObject | undefined
  #held: Piece[] = []
  /** Characters that came before the first content. */
  #silent = 0
  produced = false
  whole = false

  constructor(engine: string, say: Saying, told: (told: Told & { kind: 'chunk' }) => void) {
    this.#engine = engine
    this.#say = say
    this.#told = told
  }

  get usage(): Usage | undefined {
    return usageOfReport(this.#report, this.whole)
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
      const event = parse(data)
      if (!this.produced) this.#silent += data.length
      if (!event || this.#silent > mostSilent) return this.#unreadable()
      if (event.type !== 'error') this.#take(event)
      else if (!this.whole) return failureOfEvent(this.#engine, event)
    }
    return undefined
  }

  /** Tells what was still held: an answer without content. */
  flush(): void {
    this.#tell(0)
  }

  #take(event: JsonObject): void {
    this.#learn(event)
    const piece = event.type === 'ping' ? undefined : this.#say(event)
    if (piece) this.#held.push(piece)
    const made = contentIn(event)
    if (made > 0) this.produced = true
    if (this.produced) this.#tell(made)
  }

  #learn(event: JsonObject): void {
    const usage = event.type === 'message_start' && isObject(event.message) ? event.message.usage : event.usage
    if (isObject(usage)) this.#report = mergeUsage(this.#report, usage)
    if (event.type !== 'message_delta' || !isObject(event.delta)) return
    this.whole ||= typeof event.delta.stop_reason === 'string'
  }

  #tell(made: number): void {
    const bytes = this.#held.splice(0)
    if (bytes.length > 0 || made > 0) this.#told({ kind: 'chunk', tokens: tokens(made), bytes })
  }

  #unreadable(): EngineFailure {
    return { fault: 'bad_reply', message: `engine ${this.#engine} sent an event that is not one` }
  }
}

/**
 * How many tokens an event stands for, where nobody says: one for each part of text, thought or input, and one for a block
 * that begins with its content in it. A signature and a citation are no tokens of the model's.
 */
function contentIn({ type, delta, content_block }: JsonObject): number {
  if (type === 'content_block_delta' && isObject(delta))
    return ['text', 'thinking', 'partial_json'].some((field) => typeof delta[field] === 'string' && delta[field] !== '')
      ? 1
      : 0
  if (type === 'content_block_start' && isObject(content_block))
    return content_block.type === 'text' || content_block.type === 'thinking' ? 0 : 1
  return 0
}

function parse(data: string): JsonObject | undefined {
  const event = parseReply(data)
  return typeof event?.type === 'string' ? event : undefined
}
