/** How much is thought before an answer, as models of Anthropic's take it. */
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** Tokens to think in: what is left for it when nobody says how long the answer may be, and what older models are told. */
export const budgets: Readonly<Record<Effort, number>> = {
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
}

/** OpenAI's word for it; undefined: none, or not to think. */
export function effortOf(word: unknown): Effort | undefined {
  if (word === 'minimal') return 'low'
  return typeof word === 'string' && Object.hasOwn(budgets, word) ? (word as Effort) : undefined
}

/** The version in a name such as `claude-sonnet-4-5-20250929` or `claude-3-7-sonnet`. */
const versionIn = /claude-(?:[a-z]+-)?(\d{1,2})(?:-(\d{1,2}))?(?!\d)/

/**
 * Models before 4.6 know a budget only, those since 4.7 the effort only, and refuse the other (platform.claude.com,
 * "Adaptive thinking"). A name without a version is taken for a new one.
 */
export function takesBudget(model: string): boolean {
  const [, major, minor = '0'] = versionIn.exec(model) ?? []
  return major !== undefined && Number(major) * 100 + Number(minor) < 406
}

/** The effort of a translated request in the words of its model. Too little room to think in: it answers at once. */
export function inWordsOf(model: string, body: JsonObject): JsonObject {
  const { thinking, output_config, ...rest } = body
  const { effort, ...config } = isObject(output_config) ? output_config : {}
  const known = effortOf(effort)
  if (!known || !isObject(thinking) || thinking.type !== 'adaptive' || !takesBudget(model)) return body
  const most = Math.min(budgets[known], Number(body.max_tokens) - 1)
  return {
    ...rest,
    ...(Object.keys(config).length > 0 && { output_config: config }),
    ...(most >= 1024 && { thinking: { type: 'enabled', budget_tokens: most } }),
  }
}
