import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

/** How much may be thought before the answer; what is left out is left to the model. */
export interface Reasoning {
  readonly on: boolean
  readonly effort?: string
  /** Tokens at most. */
  readonly budget?: number
}

/**
 * What a chat request says of reasoning, in any of the words that clients know: OpenAI's `reasoning_effort`, OpenRouter's
 * `reasoning: {effort, max_tokens, enabled}`, or `thinking: {type, budget_tokens}` as hosted GLM and DeepSeek have it.
 */
export function reasoningOf(body: JsonObject): Reasoning | undefined {
  const wide = isObject(body.reasoning) ? body.reasoning : {}
  const thinking = isObject(body.thinking) ? body.thinking : {}
  const effort = [body.reasoning_effort, wide.effort].find((one) => typeof one === 'string') as string | undefined
  const budget = [wide.max_tokens, thinking.budget_tokens].find(isBudget)
  const off = effort === 'none' || wide.enabled === false || thinking.type === 'disabled' || budget === 0
  if (off) return { on: false }
  const on = effort !== undefined || budget !== undefined || wide.enabled === true || thinking.type === 'enabled'
  if (!on) return undefined
  return { on, ...(effort !== undefined && { effort }), ...(budget !== undefined && { budget }) }
}

const isBudget = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/**
 * Engines that leave it to the model's chat template, which takes the variables it knows and skips the others, and where
 * a budget stands with them (docs.vllm.ai, "Reasoning outputs" and `thinking_token_budget`; docs.sglang.io, "Thinking
 * budget"; ggml-org/llama.cpp pull request 23673). Undefined: it has no budget in tokens, and is told an effort instead.
 */
const byTemplate: ReadonlyMap<string, string | undefined> = new Map([
  ['vllm', 'thinking_token_budget'],
  ['sglang', 'chat_template_kwargs.thinking_budget'],
  ['llama.cpp', 'thinking_budget_tokens'],
  ['tensorrt-llm', undefined],
])

/** The same request in an engine's own words. An engine that is not known is told what the client said, word for word. */
export function withReasoning(body: JsonObject, product: string | null | undefined): JsonObject {
  const asked = reasoningOf(body)
  if (!asked || !byTemplate.has(product ?? '')) return body
  const place = byTemplate.get(product ?? '')
  const { reasoning_effort: _, reasoning: __, thinking: ___, ...rest } = body
  const { on, budget } = asked
  const inTemplate = place?.startsWith('chat_template_kwargs.') === true
  const variable = place?.slice('chat_template_kwargs.'.length) ?? ''
  const effort = asked.effort ?? (budget !== undefined && place === undefined ? effortOf(budget) : undefined)
  return {
    ...rest,
    ...(effort !== undefined && { reasoning_effort: words[effort] ?? effort }),
    ...(budget !== undefined && place !== undefined && !inTemplate && { [place]: budget }),
    chat_template_kwargs: {
      enable_thinking: on, // Qwen, GLM, Gemma
      thinking: on, // DeepSeek, Granite
      ...(budget !== undefined && inTemplate && { [variable]: budget }),
      ...(isObject(rest.chat_template_kwargs) ? rest.chat_template_kwargs : {}), // who knows the template knows better
    },
  }
}

/** These engines' own schema has three words; others stand for the nearest. */
const words: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'high', max: 'high' }

/** A budget in tokens as a word, where an engine has no budgets. The borders are ours, a factor of four apart. */
function effortOf(budget: number): string {
  if (budget <= 4096) return 'low'
  return budget <= 16_384 ? 'medium' : 'high'
}
