/** What is looked at, in the order in which it is asked. */
export const checkIds = [
  'models',
  'chat',
  'stream',
  'stream_usage',
  'cached',
  'reasoning',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'seed',
  'n',
  'logprobs',
  'tools',
  'json_schema',
  'completions',
  'embeddings',
  'unknown_model',
  'error',
] as const
export type CheckId = (typeof checkIds)[number]

/**
 * What came of it. `ignored`: it was taken, and made no difference. `unclear`: the answer proves neither. Usage in a stream comes
 * `always`, `on_request` or `never`. A name with dots is where something stands: a count, or the reason of an error.
 */
export type Saw =
  | 'yes'
  | 'ignored'
  | 'refused'
  | 'failed'
  | 'unclear'
  | 'always'
  | 'on_request'
  | 'never'
  | 'absent'
  | `usage.${string}`
  | 'error.message'
  | 'error'
  | 'message'
  | 'detail'

export interface Finding {
  readonly check: CheckId
  readonly saw: Saw
  /** In words, for people. */
  readonly detail: string
}
