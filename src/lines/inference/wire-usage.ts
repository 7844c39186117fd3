import type { Usage } from '../../books/usage.ts'
import { inputTokens, outputTokens, tokenClasses, totalTokens, usageFrom } from '../../books/usage.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

/** Usage in OpenAI's shape: prompt and completion are wholes, the details are parts of them. */
export interface WireUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
  readonly completion_tokens_details: { readonly reasoning_tokens: number }
}

/** What a client is shown: of the close row and of nothing else. Null when nobody knows. */
export function wireUsage(usage: Usage): WireUsage | null {
  if (tokenClasses.every((tokenClass) => usage[tokenClass] === null)) return null
  return {
    prompt_tokens: inputTokens(usage),
    completion_tokens: outputTokens(usage),
    total_tokens: totalTokens(usage),
    prompt_tokens_details: { cached_tokens: usage.cache_read?.tokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning?.tokens ?? 0 },
  }
}

/** A later report adds to an earlier one: what it names overrides, what it leaves out or calls null stays. */
export function mergeUsage(earlier: JsonObject | undefined, later: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...earlier }
  for (const [field, value] of Object.entries(later)) {
    if (value === null || value === undefined) continue
    const before = merged[field]
    merged[field] = isObject(value) ? mergeUsage(isObject(before) ? before : undefined, value) : value
  }
  return merged
}

/**
 * An upstream's report → disjoint classes. `prompt_tokens` includes the cached ones and `completion_tokens` the
 * reasoning ones; a part larger than its whole is cut to it, so that the sum is what the upstream will charge. Tokens
 * written to a cache are told by few (OpenRouter), and are a part of the prompt too.
 * A zero that was told stays a zero; what was not told is missing.
 */
export function usageOf(report: JsonObject | undefined): Usage | undefined {
  if (!report) return undefined
  const prompt = count(report.prompt_tokens)
  const completion = count(report.completion_tokens)
  const cached = part(detail(report.prompt_tokens_details, 'cached_tokens'), prompt)
  const written = part(
    detail(report.prompt_tokens_details, 'cache_write_tokens'),
    prompt === undefined ? undefined : prompt - (cached ?? 0),
  )
  const reasoning = part(detail(report.completion_tokens_details, 'reasoning_tokens'), completion)
  if (prompt === undefined && completion === undefined) return undefined
  return usageFrom('provider', {
    input_uncached: prompt === undefined ? undefined : prompt - (cached ?? 0) - (written ?? 0),
    cache_read: cached,
    cache_write: written,
    output_visible: completion === undefined ? undefined : completion - (reasoning ?? 0),
    reasoning,
  })
}

const count = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined

const detail = (details: unknown, field: string): number | undefined =>
  isObject(details) ? count(details[field]) : undefined

/** A part of an unknown whole says nothing by itself: the whole will be counted or estimated, the part would double it. */
const part = (value: number | undefined, whole: number | undefined): number | undefined =>
  value === undefined || whole === undefined ? undefined : Math.min(value, whole)
