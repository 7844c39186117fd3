/** One attempt under way: plain data, and what one more token does to it. */
import { Characters, type Detokenise } from './characters.ts'
import type { EngineCount, EngineFailure, EngineReport, Sampling } from './protocol.ts'
import type { Sequence } from './sequence.ts'
import { passStops } from './stops.ts'

export interface Ask {
  readonly id: string
  readonly model: string
  readonly prompt: readonly number[]
  readonly sampling: Sampling
  readonly stops: readonly string[]
  /** Tokens that may be sampled: the caller's limit or what the context has left, whichever is less. */
  readonly most: number
}

/** Why a stream should end before its time. */
export type Ending =
  | { readonly how: 'cancelled' }
  | { readonly how: 'failed'; readonly fault: EngineFailure; readonly message: string }

export interface Stream {
  readonly ask: Ask
  /** Tells the gateway that asked; does nothing once its connection is gone. */
  readonly tell: (report: EngineReport) => void
  readonly characters: Characters
  /** Text that may begin a stop string. */
  held: string
  sequence: Sequence | undefined
  /** Prompt tokens taken from the cache, and evaluated so far. */
  cached: number
  evaluated: number
  /** Tokens sampled. */
  output: number
  ending: Ending | undefined
}

export const openStream = (ask: Ask, detokenise: Detokenise, tell: Stream['tell']): Stream => ({
  ask,
  tell,
  characters: new Characters(detokenise, ask.prompt),
  held: '',
  sequence: undefined,
  cached: 0,
  evaluated: 0,
  output: 0,
  ending: undefined,
})

export const countOf = (stream: Stream): EngineCount => ({
  input_uncached: stream.evaluated,
  cache_read: stream.cached,
  output: stream.output,
})

/** Prompt tokens still to be evaluated. */
export const promptLeft = (stream: Stream): number => stream.ask.prompt.length - stream.cached - stream.evaluated

/** Tokens whose keys and values its sequence holds: the one sampled last is evaluated by the next step. */
export const cached = (stream: Stream): number => stream.cached + stream.evaluated + Math.max(0, stream.output - 1)

export interface Taken {
  readonly text: string
  readonly finished: 'stop' | 'length' | undefined
}

/** Counts a sampled token and says what of it may be shown. */
export function takeToken(stream: Stream, token: number, isEnd: boolean): Taken {
  stream.output++
  if (isEnd) return { text: '', finished: 'stop' }

  const passed = passStops(stream.held, stream.characters.push(token), stream.ask.stops)
  stream.held = passed.held
  if (passed.hit) return { text: passed.show, finished: 'stop' }
  return { text: passed.show, finished: stream.output >= stream.ask.most ? 'length' : undefined }
}
