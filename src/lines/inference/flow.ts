import type { Attempt, CloseRow, Outcome, Row } from '../../books/row.ts'
import type { SloClass } from '../../books/slo-class.ts'
import type { Usage } from '../../books/usage.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ModelId, RequestId, SiteId } from '../../units/ids.ts'
import type { Seconds, Tokens } from '../../units/quantity.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import type { Refusal } from './errors.ts'
import type { Hold } from './lease.ts'
import type { Grant, Snapshot } from './snapshot.ts'

/** What a client asked for, as far as the line must know; `body` is for the engine's adapter alone. */
export interface Ask {
  readonly grant: Grant
  readonly model: ModelId
  /** What may answer instead, in this order, when no engine of the model does. */
  readonly fallbacks?: readonly ModelId[]
  /** From the size of the prompt: only for reserving; what is billed comes from the engine. */
  readonly promptEstimate: Tokens
  /** The client's own limit of output; undefined: none given. */
  readonly maxOutput: Tokens | undefined
  /** Numbers of its prompt's beginnings, block by block, and the tokens in a block: what a replica may have in its cache. */
  readonly beginnings?: { readonly blocks: ArrayLike<number>; readonly tokens: number }
  readonly stream: boolean
  /** How soon somebody waits for it. */
  readonly slo: SloClass
  /** How often this client's library tried before: tells retries from new demand. */
  readonly clientRetry: number
  readonly body: unknown
}

/** Why an engine failed us. The first three are worth another replica, as long as no byte has left. */
export type EngineFault =
  | 'unreachable'
  | 'overloaded'
  | 'crashed'
  | 'timed_out'
  | 'bad_reply'
  | 'truncated'
  | 'bad_request'
  | 'unsupported'
  | 'context_length'
  | 'unknown_model'

export interface EngineFailure {
  readonly fault: EngineFault
  /** For people; without secrets and without the prompt. */
  readonly message: string
}

/** One request under way: plain data. The twin copies it, a crash drops it, `top` lists it. */
export interface Flow {
  readonly id: RequestId
  readonly ask: Ask
  readonly snapshot: Snapshot
  readonly askedAt: Seconds
  /** The model that answers: the one asked for, or a fallback. */
  model: ModelId
  phase: 'asked' | 'queued' | 'generating' | 'posting' | 'done'
  admittedAt: Seconds
  firstAt: Seconds | undefined
  /** Parts of allowances that it holds; undefined: nothing taken yet. */
  holds: readonly Hold[] | undefined
  /** The likely size of it all, prompt and answer. */
  reserved: Tokens
  /** Number of the attempt under way; events of another attempt are late and ignored. */
  attempt: number
  replica: Replica | undefined
  /** The answer that the cache has for it; undefined: an engine must work. */
  hit: Hit | undefined
  /** What the engine said it found of the prompt. */
  begun: { readonly input_uncached: Tokens; readonly cache_read: Tokens } | undefined
  produced: Tokens
  /** Attempts started so far. */
  tries: number
  /** Why the attempt under way was started beside another; undefined: it was not. */
  hedge: Attempt['hedge']
  /** Why the attempt under way went where it did. */
  choice: Attempt['choice']
  /** Another attempt under way, of which one only is answered with. */
  rival: Rival | undefined
  /** An attempt has sent something, so that no other can answer. */
  answered: boolean
  /** The attempt that answered is over, and the other has not confirmed yet that it stopped. */
  over: Outcome | undefined
  /** Attempts that are over. */
  readonly attempts: Attempt[]
  /** What it can be billed for, when an allowance has run out under it; undefined: all that it used. */
  payable: Usage | undefined
  /** Why we, or the client, cut it short; the outcome then, whatever the engine says. */
  cut: Outcome | undefined
  failure: EngineFailure | undefined
  /** Which guard rail withheld the answer, in words. */
  denial: Refusal | undefined
  closing: CloseRow | undefined
}

/** Another request's answer, that answers this one too: by whom it was made, and what that took. */
export interface Hit {
  readonly from: RequestId
  /** Where it was made; absent: `mainSite`. */
  readonly site?: SiteId
  readonly usage: Usage
  readonly bytes: unknown
}

/** One of two attempts under way; `lost`: it was cancelled, and only what it used still counts. */
export interface Rival {
  readonly attempt: number
  readonly replica: Replica | undefined
  readonly hedge: Attempt['hedge']
  readonly choice: Attempt['choice']
  begun: Flow['begun']
  produced: Tokens
  lost: boolean
}

export const newFlow = (id: RequestId, ask: Ask, snapshot: Snapshot, now: Seconds): Flow => ({
  id,
  ask,
  snapshot,
  askedAt: now,
  model: ask.model,
  phase: 'asked',
  admittedAt: seconds(0),
  firstAt: undefined,
  holds: undefined,
  reserved: tokens(0),
  attempt: 0,
  replica: undefined,
  hit: undefined,
  begun: undefined,
  produced: tokens(0),
  tries: 0,
  hedge: undefined,
  choice: undefined,
  rival: undefined,
  answered: false,
  over: undefined,
  attempts: [],
  payable: undefined,
  cut: undefined,
  failure: undefined,
  denial: undefined,
  closing: undefined,
})

/** What can happen to a flow. A chunk carries a count: live says 1, the twin as many as passed. */
export type Event =
  | { readonly kind: 'asked' | 'turn' | 'client_closed' | 'deadline' }
  | { readonly kind: 'begun'; readonly attempt: number; readonly input_uncached: Tokens; readonly cache_read: Tokens }
  | { readonly kind: 'chunk'; readonly attempt: number; readonly tokens: Tokens; readonly bytes?: unknown }
  /** The engine is done. `usage` holds what it told of it; what it did not tell is filled from what was counted. */
  | { readonly kind: 'ended'; readonly attempt: number; readonly usage: Usage | undefined }
  | {
      readonly kind: 'failed'
      readonly attempt: number
      readonly failure: EngineFailure
      readonly usage: Usage | undefined
    }
  /** The first token of an attempt is later than it should be. */
  | { readonly kind: 'late'; readonly attempt: number }
  /** A guard rail lets no more of the answer through. */
  | { readonly kind: 'denied'; readonly refusal: Refusal }
  | { readonly kind: 'journaled' | 'unjournaled'; readonly row: 'open' | 'close' }

/** Whether some replica of a model could take one more request; `held`: not of this class, while there is too little power. */
export type Room = 'free' | 'full' | 'held' | 'none'

export type Admission =
  | { readonly verdict: 'admitted' }
  | { readonly verdict: 'queued'; readonly retryAfter: Seconds }
  | { readonly verdict: 'refused'; readonly refusal: Refusal }

/** A second attempt that is to be started. */
export interface Hedge {
  readonly replica: Replica
  readonly why: NonNullable<Attempt['hedge']>
}

/** The decisions of the line: pure, though they learn. Live and in the twin the same. */
export interface Policy {
  admit(flow: Flow, now: Seconds): Admission
  /** The replica for the next attempt, counted as its load until `left`; undefined: none. */
  route(flow: Flow, now: Seconds): Replica | undefined
  /** Why the attempt that was just routed goes where it does; undefined: there was no choice. */
  choice(flow: Flow): Attempt['choice']
  /** How long to wait for the first token of the attempt that was just started, before `late`; undefined: it is not hedged. */
  patience(flow: Flow): Seconds | undefined
  /** A replica for a second attempt beside the one under way, and why; undefined: none, or the budget has no money for it. */
  hedge(flow: Flow, now: Seconds): Hedge | undefined
  /** Of two attempts under way the other is now the flow's own. */
  exchanged(flow: Flow): void
  /** The engine has said what it found of the prompt. */
  begun(flow: Flow): void
  /** The first token is here. */
  first(flow: Flow, now: Seconds): void
  /** The rival, which lost, is over. */
  lost(flow: Flow, now: Seconds): void
  /** An attempt is over; undefined: it went well. */
  left(flow: Flow, failure: EngineFailure | undefined, now: Seconds): void
  /** Whether it may use what it has used and so many tokens more; false: it has run out of an allowance, and must stop. */
  extend(flow: Flow, more: Tokens, now: Seconds): boolean
  retries(flow: Flow, failure: EngineFailure): boolean
  /** It is over: give back what was held and not used, learn from what was. */
  settle(flow: Flow, outcome: Outcome | undefined, now: Seconds): void
}

/** What the line may tell the world; nothing is waited for, every answer comes back as an event. */
export interface World {
  /** → begun?, chunk*, then exactly one ended | failed, all with the flow's attempt number. */
  generate(flow: Flow, replica: Replica): void
  /** → ended | failed of that attempt within a bounded time. Drain or cut is the adapter's; calling twice is calling once. */
  cancel(flow: Flow, attempt: number): void
  /** → late, for the attempt under way. */
  watch(flow: Flow, after: Seconds): void
  /** Content for the client; the adapter keeps it until `release`, and its last piece until `finish`. */
  write(flow: Flow, bytes: unknown): void
  /** The open row is durable: content may leave. */
  release(flow: Flow): void
  /** → journaled | unjournaled. */
  append(flow: Flow, row: Row): void
  /** Write it once the journal works again; nobody waits for it. */
  keep(flow: Flow, row: CloseRow): void
  /** It is over: settled as `flow.closing` says, refused, or left while queued. */
  finish(flow: Flow, ending: Ending): void
  /** → turn, when a replica may be free, at the latest after `after`. */
  wait(flow: Flow, after: Seconds): void
}

export type Ending =
  | { readonly kind: 'settled'; readonly outcome: Outcome }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'left' }
