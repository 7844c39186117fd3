import type { Usage } from '../../books/usage.ts'
import type { ModelId, RequestId, SiteId } from '../../units/ids.ts'
import type { Piece } from '../openai/engine.ts'

/** A whole answer, as its engine gave it. */
export interface CachedAnswer {
  readonly pieces: readonly Piece[]
  /** What its engine used for it. */
  readonly usage: Usage
  /** Which of those that may answer made it: its price is that of the answer. */
  readonly model: ModelId
  /** Where it was made, and so whose price it has; absent: `mainSite`. */
  readonly site?: SiteId
  /** The request that it was made for. */
  readonly from: RequestId
  readonly at_ms: number
}

interface Entry {
  readonly answer: CachedAnswer
  readonly bytes: number
}

/** A longer answer would push out hundreds of others; as chunks of a stream it takes about eight times its text. */
const largestAnswer = 128 * 1024
/** What an entry costs beside its answer. */
const entryBytes = 512

/**
 * Answers by the key of their request, in memory and bounded in bytes; who was not asked for the longest goes first. Prompts
 * are not in it, and nothing of it is ever written down.
 */
export class AnswerCache {
  readonly #most: number
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  /** `most`: bytes; 0 keeps nothing. */
  constructor(most: number) {
    this.#most = most
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** An answer that is no older than its asker allows. */
  find(key: string, oldest_ms: number): CachedAnswer | undefined {
    const entry = this.#entries.get(key)
    if (!entry || entry.answer.at_ms < oldest_ms) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.answer
  }

  keep(key: string, answer: CachedAnswer): void {
    const bytes = JSON.stringify(answer.pieces).length + entryBytes
    if (bytes > largestAnswer || bytes > this.#most) return
    this.#drop(key)
    this.#entries.set(key, { answer, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#most) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}
