import type { ReplicaId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'

/** What a gateway has under way at a replica. */
export interface Load {
  readonly running: number
  /** Uncached prompt tokens of attempts without a first token. */
  readonly prefilling: number
  readonly decoding: number
  /** Tokens of prompts under way. */
  readonly held: number
}

export const noLoad: Load = { running: 0, prefilling: 0, decoding: 0, held: 0 }

/** The beginnings of a prompt, and where they went. */
export interface Sending {
  readonly replica: ReplicaId
  readonly blocks: ArrayLike<number>
  /** Tokens in a block. */
  readonly tokens: number
}

/** What gateways of one factory tell each other some times a second: what they have under way, and what they sent since. */
export interface Word {
  readonly loads: ReadonlyMap<ReplicaId, Load>
  readonly sent: readonly Sending[]
}

/** Blocks in one word at the most, 8 million tokens of prompts: more in a tenth of a second, and the oldest are left out. */
const mostBlocks = 1 << 17
/** Whoever said nothing for so long is gone, and what it had under way with it. */
const silence_s = 2

/** What this gateway is to tell the others, and what each of them said last. */
export class Peers {
  readonly #said = new Map<string, { at: Seconds; loads: Word['loads'] }>()
  #sent: Sending[] = []
  #blocks = 0

  /** Gateways that were heard of lately. */
  get size(): number {
    return this.#said.size
  }

  sent(sending: Sending): void {
    if (sending.blocks.length === 0) return
    this.#sent.push(sending)
    this.#blocks += sending.blocks.length
    while (this.#blocks > mostBlocks) this.#blocks -= this.#sent.shift()?.blocks.length ?? 0
  }

  /** What was sent since it was last asked. */
  take(): readonly Sending[] {
    const sent = this.#sent
    this.#sent = []
    this.#blocks = 0
    return sent
  }

  heard(from: string, { loads }: Word, now: Seconds): void {
    this.#said.set(from, { at: now, loads })
  }

  /** Leaves out who fell silent; true: somebody did. */
  forget(now: Seconds): boolean {
    const before = this.#said.size
    for (const [from, { at }] of this.#said) if (now - at > silence_s) this.#said.delete(from)
    return this.#said.size < before
  }

  /** What all of them together have under way at a replica, by their last word. */
  at(replica: ReplicaId): Load {
    let [running, prefilling, decoding, held] = [0, 0, 0, 0]
    for (const { loads } of this.#said.values()) {
      const load = loads.get(replica)
      if (!load) continue
      running += load.running
      prefilling += load.prefilling
      decoding += load.decoding
      held += load.held
    }
    return { running, prefilling, decoding, held }
  }
}
