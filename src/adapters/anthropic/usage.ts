import type { Count, Usage } from '../../books/usage.ts'
import { outputTokens, usageFrom } from '../../books/usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

/** Usage in Anthropic's shape: its three counts of input are disjoint, the thoughts are a part of the output. */
export interface MessagesUsage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly output_tokens: number
  /** Null: nobody told how much of it was thought. */
  readonly output_tokens_details: { readonly thinking_tokens: number } | null
}

/** What a client is shown: of the close row and of nothing else. */
export const messagesUsage = (usage: Usage): MessagesUsage => ({
  input_tokens: usage.input_uncached?.tokens ?? 0,
  cache_creation_input_tokens: usage.cache_write?.tokens ?? 0,
  cache_read_input_tokens: usage.cache_read?.tokens ?? 0,
  output_tokens: outputTokens(usage),
  output_tokens_details: usage.reasoning && { thinking_tokens: usage.reasoning.tokens },
})

/** The size of a prompt, and who says so. */
export const tokensCount = ({ tokens, source }: Count) => ({ input_tokens: tokens, wattmill: { source } })

/**
 * An upstream's report → disjoint classes. A stream's first report tells the input and, of the output, only what was made
 * by then: until `final` the output is missing, and so is counted from what passed, as for any stream that is left. Some
 * servers know the input at the end only and begin with zeros: no prompt is empty, so that is missing too.
 */
export function usageOfReport(report: JsonObject | undefined, final: boolean): Usage | undefined {
  if (!report || (!final && !inputs.some((field) => count(report[field])))) return undefined
  const input_uncached = count(report.input_tokens)
  const output = final ? count(report.output_tokens) : undefined
  if (input_uncached === undefined && output === undefined) return undefined
  const details = isObject(report.output_tokens_details) ? report.output_tokens_details : {}
  const thought = count(details.thinking_tokens)
  const reasoning = output === undefined || thought === undefined ? undefined : Math.min(thought, output)
  return usageFrom('provider', {
    input_uncached,
    cache_read: count(report.cache_read_input_tokens),
    cache_write: count(report.cache_creation_input_tokens),
    output_visible: output === undefined ? undefined : output - (reasoning ?? 0),
    reasoning,
  })
}

const inputs = ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens']

const count = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined
