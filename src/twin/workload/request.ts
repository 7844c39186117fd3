import type { Prompt } from './prompt.ts'

/** One request of a workload, as its client sends it. */
export interface Request {
  /** Since the start of the run. */
  readonly at_ns: number
  /** Index of its client among the scenario's. */
  readonly client: number
  readonly prompt: Prompt
  /** Tokens that the client allows; undefined: it sets no limit. */
  readonly limit: number | undefined
  /** Tokens that the model would answer with. */
  readonly answer: number
  /** The client leaves when it has got so many tokens, or after so long. */
  readonly leavesAfter?: { readonly tokens: number } | { readonly ns: number }
}
