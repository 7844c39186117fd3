import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ModelId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'
import { Ejection } from './ejection.ts'
import type { Load } from './peers.ts'
import { noLoad } from './peers.ts'
import { alikeRate, type Rate, SharedRate } from './rate.ts'

/** What is known of a request when it is to be placed. */
export interface Placing {
  readonly model: ModelId
  readonly prompt: number
  /** Likely length of its answer. */
  readonly output: number
  /** Numbers of its beginnings; empty: nothing is known of them. */
  readonly blocks: ArrayLike<number>
  /** Tokens in a block, about. */
  readonly blockTokens: number
  /** Whether it was looked for in caches; else how much is to be computed is not known until the replica says. */
  readonly looked: boolean
  /** When its first token is due, from now. */
  readonly due: Seconds
  /** When its first token was due, from when it was asked for. */
  readonly promise: Seconds
  /** This gateway, and those that send to the same replicas and of which nothing is heard: they are taken to send alike. */
  readonly gateways: number
}

/** An attempt under way at a replica, as this gateway sees it. */
export interface Dispatch {
  readonly sentAt: Seconds
  readonly prompt: number
  /** Prompt tokens that its replica has to compute: a guess until it says. */
  uncached: number
  /** The guess is from a look at caches, or the replica has said: its time teaches something. */
  known: boolean
  /** Its first token has come. */
  decoding: boolean
  /** When, and how many requests decoded there then; 0 before. */
  firstAt: Seconds
  beside: number
  /** When its first token was expected, from when it was sent. */
  readonly expected: Seconds
  /** Uncached tokens that were ahead of it when it was sent. */
  readonly ahead: number
  /** Blocks of its beginning that were expected in the cache, of so many. */
  readonly matched: number
  readonly blocks: number
}

/** How this gateway sees one replica: what it sent there and is not over, what others say of theirs, and what it has learned of its speed. */
export class ReplicaView implements Load {
  readonly index: number
  replica: Replica
  /** What it is declared to be, but for its name. */
  kind = ''
  up = true
  readonly ejection = new Ejection()
  /** Models, by the engine's own names, that it serves and must bring into memory first. */
  cold: ReadonlySet<string> = new Set()
  running = 0
  /** Uncached prompt tokens of attempts without a first token. */
  prefilling = 0
  /** Attempts that have one. */
  decoding = 0
  /** Tokens of prompts under way: about what they hold of the KV cache. */
  held = 0
  /** What other gateways have under way there, as they last said. */
  others = noLoad
  #prefill = new SharedRate(alikeRate(usualPrefillRate))
  /** Tokens of answers that all of it makes in a second when it has its usual load: learned. */
  decodeRate = usualDecodeRate
  decodesLearned = 0

  constructor(index: number, replica: Replica) {
    this.index = index
    this.replica = replica
    const said = replica.facts?.prefillTokensPerSecond
    if (said) this.#prefill = new SharedRate(alikeRate(said))
  }

  /** It shares what is learned of prefill with those that are declared as it is. */
  liken(kind: string, alike: Rate): void {
    this.kind = kind
    this.#prefill = new SharedRate(alike)
  }

  /** Prompt tokens a second when it has work: learned. */
  get prefillRate(): number {
    return this.#prefill.value
  }

  /** `matched`: blocks of its beginning that are expected in the cache. */
  sent({ prompt, blocks, blockTokens, looked }: Placing, matched: number, now: Seconds): Dispatch {
    const uncached = Math.max(1, prompt - matched * blockTokens)
    const ahead = this.prefilling + this.others.prefilling
    const guess = { uncached, known: looked, ahead, matched, blocks: blocks.length }
    const expected = seconds((ahead + uncached) / this.prefillRate)
    const dispatch = { sentAt: now, prompt, decoding: false, firstAt: seconds(0), beside: 0, expected, ...guess }
    this.running++
    this.prefilling += uncached
    this.held += prompt
    return dispatch
  }

  /** The engine says what it found of a prompt. */
  begun(dispatch: Dispatch, uncached: number): void {
    if (dispatch.decoding) return
    this.prefilling += uncached - dispatch.uncached
    dispatch.uncached = uncached
    dispatch.known = true
  }

  /** The first token: the prompt is computed, and so was what was ahead of it. */
  first(dispatch: Dispatch, now: Seconds): void {
    if (dispatch.decoding) return
    dispatch.decoding = true
    this.prefilling = Math.max(0, this.prefilling - dispatch.uncached)
    this.decoding++
    dispatch.firstAt = now
    dispatch.beside = this.decoding
    const took = now - dispatch.sentAt
    const work = dispatch.ahead + dispatch.uncached
    if (!dispatch.known || took <= 0 || work < leastWork) return
    this.#prefill.learn(work / took)
  }

  /**
   * An answer of so many tokens is whole. It held its share of each step: 1 / (those that decode there), though not more than of a
   * batch as it is usual, or a replica that stands idle would look dear and stay idle.
   */
  answered(dispatch: Dispatch, produced: number, gateways: number, now: Seconds): void {
    const took = now - dispatch.firstAt
    if (!dispatch.decoding || produced < leastAnswer || took < produced * quickest_s) return
    const batch = (gateways * (dispatch.beside + this.decoding)) / 2 + this.others.decoding
    const rate = (Math.max(batch, Math.min(this.replica.concurrency, usualBatch)) * produced) / took
    const step = Math.max(0.02, 0.5 / ++this.decodesLearned)
    this.decodeRate *= rate > this.decodeRate ? 1 + step : 1 / (1 + step)
  }

  left(dispatch: Dispatch): void {
    this.running = Math.max(0, this.running - 1)
    this.held = Math.max(0, this.held - dispatch.prompt)
    if (dispatch.decoding) this.decoding = Math.max(0, this.decoding - 1)
    else this.prefilling = Math.max(0, this.prefilling - dispatch.uncached)
  }
}

/** A middling GPU with a middling model; only until the first answers have come. */
const usualPrefillRate = 5000
const usualDecodeRate = 1000
/** Requests that share a step of an engine under its usual load. */
const usualBatch = 32
/** Shorter answers say little of the time of a token; those that came in one piece, nothing. */
const leastAnswer = 16
const quickest_s = 1e-4
/** Fewer tokens say more of the rest of the way than of the prefill. */
const leastWork = 256
