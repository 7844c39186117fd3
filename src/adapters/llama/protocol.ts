/**
 * What a gateway and the engine host say to each other: NDJSON over a unix socket (a named pipe on Windows), one JSON
 * object per line. The host writes at most one line per step and stream, and writes the step into its own log *before*
 * it writes the line, so the log never holds less than a gateway was told.
 *
 * `id` names one attempt: `<request id>/<attempt>`, unique for ever. A connection that closes cancels all it asked for.
 */
import type { StepLine } from '../../books/work.ts'

/** How a request asks the embedded engine to sample. Absent means the engine's default. */
export interface Sampling {
  readonly temperature?: number
  readonly top_p?: number
  readonly top_k?: number
  readonly min_p?: number
  readonly seed?: number
  readonly presence_penalty?: number
  readonly frequency_penalty?: number
  /** Token → what is added to its logit. */
  readonly logit_bias?: Readonly<Record<string, number>>
}

export interface ChatMessage {
  readonly role: string
  readonly content: string
  /** What the assistant called; `arguments` is text, of JSON if the model wrote it well. */
  readonly tool_calls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  /** Which call a message of role `tool` answers. */
  readonly tool_call_id?: string
  readonly name?: string
}

/** A function that the model may call. */
export interface ToolSpec {
  readonly name: string
  readonly description?: string
  /** JSON Schema of its arguments. */
  readonly parameters?: unknown
  /** The arguments must keep to the schema. */
  readonly strict?: boolean
}

export interface Tools {
  readonly specs: readonly ToolSpec[]
  /** May call, must call, or must call this one. */
  readonly choice: 'auto' | 'required' | { readonly name: string }
  /** More than one call in an answer. */
  readonly parallel: boolean
}

/** A part of a call: id and name come with the first one, text of the arguments with any. */
export interface CallDelta {
  readonly index: number
  readonly id?: string
  readonly name?: string
  readonly arguments: string
}

/** Gateway → host. */
export type EngineCommand =
  | {
      readonly do: 'generate'
      readonly id: string
      readonly model: string
      /** Exactly one of the two: chat goes through the model's own template, text is taken as it is (with BOS if the model wants one). */
      readonly messages?: readonly ChatMessage[]
      readonly text?: string
      /** Absent: until the context is full. */
      readonly max_tokens?: number
      readonly stop?: readonly string[]
      readonly sampling: Sampling
      /** For chat; the model's template says how. */
      readonly tools?: Tools
      /** GBNF that the answer keeps to. */
      readonly grammar?: string
      /** Present: each token is told with its log-probability and so many of the likeliest in its place. */
      readonly alternatives?: number
      /** The chat template is told not to let it think, where it knows that. */
      readonly thinking?: false
    }
  | {
      readonly do: 'embed'
      readonly id: string
      readonly model: string
      /** Each a text, or its tokens. */
      readonly inputs: readonly (string | readonly number[])[]
      /** Absent: as the model makes them. */
      readonly dimensions?: number
    }
  /** How many tokens a chat is as a prompt; nothing is evaluated, and nothing logged. */
  | {
      readonly do: 'count'
      readonly id: string
      readonly model: string
      readonly messages: readonly ChatMessage[]
      readonly tools?: Tools
      readonly thinking?: false
    }
  | { readonly do: 'cancel'; readonly id: string }
  /** The path may be left out for a model that is known. */
  | { readonly do: 'load'; readonly model: string; readonly path?: string }
  /** Out of memory when its streams have ended; known on. */
  | { readonly do: 'unload'; readonly model: string }
  /** Out of memory at once, and forgotten. */
  | { readonly do: 'remove'; readonly model: string }
  | { readonly do: 'status' }

/** How likely the model found a token: before temperature and penalties, after bias and grammar. */
export interface TokenLikelihood {
  readonly bytes: readonly number[]
  readonly logprob: number
  /** The likeliest tokens in its place, best first. */
  readonly top: readonly { readonly bytes: readonly number[]; readonly logprob: number }[]
}

/** What the engine counted for one attempt; the three are disjoint. `input_uncached + cache_read` is the prompt. */
export interface EngineCount {
  /** Prompt tokens evaluated. */
  readonly input_uncached: number
  /** Prompt tokens taken from a sequence's KV cache. */
  readonly cache_read: number
  /** Tokens sampled, the end-of-generation token and tokens of a withheld stop string included: they cost a step each. */
  readonly output: number
}

export type EngineFailure =
  | 'bad_request' // the command makes no sense: will fail again
  | 'unsupported' // this model cannot do what was asked
  | 'context_length' // the prompt does not fit
  | 'unknown_model'
  | 'overloaded' // the waiting queue is full: try later or elsewhere
  | 'crashed' // the model failed under this request

/** Host → gateway. */
export type EngineReport =
  | { readonly on: 'begin'; readonly id: string; readonly input_uncached: number; readonly cache_read: number }
  /** One step of one stream: `tokens` sampled since the last line, `text` what of it may be shown (may be empty). */
  | {
      readonly on: 'step'
      readonly id: string
      readonly tokens: number
      readonly text: string
      readonly calls?: readonly CallDelta[]
      /** Of the tokens whose text is shown with this line, when they were asked for. */
      readonly likelihoods?: readonly TokenLikelihood[]
    }
  | { readonly on: 'counted'; readonly id: string; readonly tokens: number }
  /** The vector of one input: 32-bit floats, little-endian, as base64. */
  | { readonly on: 'vector'; readonly id: string; readonly index: number; readonly data: string }
  | {
      readonly on: 'end'
      readonly id: string
      readonly why: 'stop' | 'length' | 'cancelled'
      /** The stop string that ended it, which is not shown. */
      readonly stop?: string
      /** Text that was withheld in case it began a stop string, or half a character. */
      readonly text: string
      readonly calls?: readonly CallDelta[]
      readonly likelihoods?: readonly TokenLikelihood[]
      readonly count: EngineCount
    }
  | {
      readonly on: 'fail'
      readonly id: string
      readonly fault: EngineFailure
      readonly message: string
      readonly count?: EngineCount
    }
  | {
      readonly on: 'status'
      readonly incarnation: string
      readonly models: readonly KnownModel[]
      readonly running: number
      readonly waiting: number
      readonly slots: number
      /** Bytes that models may take together, and those that the loaded ones were estimated to take. */
      readonly memory: { readonly budget: number; readonly used: number }
    }
  | { readonly on: 'loaded'; readonly model: string }
  | { readonly on: 'load_failed'; readonly model: string; readonly message: string }
  | { readonly on: 'unloaded'; readonly model: string }

export interface KnownModel {
  readonly model: string
  readonly path: string
  /** Estimated from the file; 0: not yet. */
  readonly bytes: number
  /** Null: known when it is loaded. */
  readonly makes: 'text' | 'vectors' | null
  readonly context_length: number
  readonly parameters: number
  /** `leaving`: finishes its streams, takes no more. `cold`: loaded when it is asked for. */
  readonly state: 'cold' | 'loading' | 'ready' | 'leaving' | 'failed'
  readonly error?: string
}

/**
 * The engine host's own append-only log, `engine/<incarnation>.ndjson` in the factory's home: what the engine did,
 * whoever asked and whatever became of the asker. Written with one `write` per step before any gateway is told.
 * The first line is `host`; a torn last line (no newline) was never told to anyone.
 */
export type EngineLogLine =
  | { readonly log: 'host'; readonly incarnation: string; readonly pid: number; readonly at_ms: number }
  | {
      readonly log: 'begin'
      readonly at_ms: number
      readonly id: string
      readonly model: string
      readonly input_uncached: number
      readonly cache_read: number
      /** The prompt's tokens are in the steps that evaluated them. Absent in older logs, whose steps know only what was sampled. */
      readonly prompt_in_steps?: true
    }
  | StepLine
  | {
      readonly log: 'end'
      readonly at_ms: number
      readonly id: string
      readonly why: 'stop' | 'length' | 'cancelled' | 'fail'
      readonly count: EngineCount
    }
  | { readonly log: 'close'; readonly at_ms: number }
