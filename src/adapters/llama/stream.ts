/** One attempt under way: plain data, and what one more token does to it. */
import { Characters } from './characters.ts'
import { HeldLikelihoods, tellLikelihood } from './likelihood.ts'
import type { CallDelta, EngineCount, EngineFailure, EngineReport, TokenLikelihood } from './protocol.ts'
import type { Choosing, EngineModel, Sampled, Sequence } from './sequence.ts'
import { passStops } from './stops.ts'
import type { ToolCalls } from './tools/calls.ts'

export interface Ask {
  readonly id: string
  readonly model: string
  readonly prompt: readonly number[]
  readonly choosing: Choosing
  readonly stops: readonly string[]
  readonly calling?: Calling | undefined
  /** Tokens that may be sampled: the caller's limit or what the context has left, whichever is less. */
  readonly most: number
}

/** The answer may hold tool calls. */
export interface Calling {
  readonly parser: ToolCalls
  /** Of a call within an answer that is otherwise free. */
  readonly grammar: string | undefined
  /** False: the answer ends with its first call. */
  readonly parallel: boolean
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
  /** Characters of text made and, of them, shown. */
  made: number
  shown: number
  /** Text that may begin a stop string. */
  held: string
  /** The stop string that came. */
  stop: string | undefined
  readonly likelihoods: HeldLikelihoods
  sequence: Sequence | undefined
  /** Prompt tokens taken from the cache, and evaluated so far. */
  cached: number
  evaluated: number
  /** Tokens sampled. */
  output: number
  ending: Ending | undefined
}

export const openStream = (
  ask: Ask,
  { detokenise }: Pick<EngineModel, 'detokenise'>,
  tell: Stream['tell'],
): Stream => ({
  ask,
  tell,
  // Marks of calls are special tokens in some models.
  characters: new Characters((tokens, before) => detokenise(tokens, before, ask.calling !== undefined), ask.prompt),
  made: 0,
  shown: 0,
  held: '',
  stop: undefined,
  likelihoods: new HeldLikelihoods(),
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
  readonly calls: readonly CallDelta[]
  readonly likelihoods: readonly TokenLikelihood[]
  readonly finished: 'stop' | 'length' | undefined
}

/** Counts a sampled token and says what of it may be shown. */
export function takeToken(
  stream: Stream,
  { token, likelihood }: Sampled,
  model: Pick<EngineModel, 'isEnd' | 'bytesOf'>,
): Taken {
  stream.output++
  if (model.isEnd(token)) return { text: '', calls: [], likelihoods: [], finished: 'stop' }

  if (likelihood) stream.likelihoods.add(stream.made, tellLikelihood(token, likelihood, model.bytesOf))
  const piece = stream.characters.push(token)
  const passed = passStops(stream.held, piece, stream.ask.stops)
  stream.made += piece.length
  stream.shown += passed.show.length
  stream.held = passed.held
  stream.stop = passed.hit
  const likelihoods = stream.likelihoods.release(stream.shown)
  // What a stop string withholds is not shown at the end either.
  if (passed.hit) stream.likelihoods.clear()
  const full = stream.output >= stream.ask.most
  const { calling } = stream.ask
  const parted = calling?.parser.push(passed.show) ?? { text: passed.show, calls: [] }
  const called = calling !== undefined && !calling.parallel && calling.parser.finished > 0
  return { ...parted, likelihoods, finished: passed.hit !== undefined || called ? 'stop' : full ? 'length' : undefined }
}

/** The answer is over: what was held and is shown after all. */
export function lastWords(stream: Stream): Omit<Taken, 'finished'> {
  const parser = stream.ask.calling?.parser
  const [rest, end] = parser ? [parser.push(stream.held), parser.end()] : [{ text: stream.held, calls: [] }, undefined]
  return {
    text: rest.text + (end?.text ?? ''),
    calls: rest.calls,
    likelihoods: stream.likelihoods.release(Number.POSITIVE_INFINITY),
  }
}

/** What the next token must keep to. */
export const grammarNow = ({ ask }: Stream): string | undefined =>
  ask.choosing.grammar ?? (ask.calling?.parser.inCall ? ask.calling.grammar : undefined)
