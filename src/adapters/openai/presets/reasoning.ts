import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { Preset, ReasoningRule } from './preset.ts'

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
 * A chat request in an engine's own words for reasoning (docs.vllm.ai, "Reasoning outputs" and `thinking_token_budget`;
 * docs.sglang.io, "Thinking budget"; ggml-org/llama.cpp pull request 23673). `translated`: what was asked in another API's
 * language. An engine without a rule is told what the client said, word for word, and of another API's an effort: nothing
 * there can switch it off.
 */
export function withReasoning(
  body: JsonObject,
  { reasoning: rule }: Pick<Preset, 'reasoning'>,
  translated?: Reasoning,
): JsonObject {
  const asked = translated ?? reasoningOf(body)
  if (!asked) return body
  if (rule) return byTemplate(body, rule, asked)
  const effort = translated && effortOf(translated)
  return effort === undefined ? body : { reasoning_effort: effort, ...body }
}

function byTemplate(body: JsonObject, { budget: place }: ReasoningRule, asked: Reasoning): JsonObject {
  const { reasoning_effort: _, reasoning: __, thinking: ___, ...rest } = body
  const { on, budget } = asked
  const variable = place?.startsWith(kwargs) ? place.slice(kwargs.length) : undefined
  const effort = place === null ? effortOf(asked) : asked.effort
  return {
    ...rest,
    ...(effort !== undefined && { reasoning_effort: words[effort] ?? effort }),
    ...(budget !== undefined && place !== null && variable === undefined && { [place]: budget }),
    chat_template_kwargs: {
      enable_thinking: on, // Qwen, GLM, Gemma
      thinking: on, // DeepSeek, Granite
      ...(budget !== undefined && variable !== undefined && { [variable]: budget }),
      ...(isObject(rest.chat_template_kwargs) ? rest.chat_template_kwargs : {}), // who knows the template knows better
    },
  }
}

const kwargs = 'chat_template_kwargs.'

/** These engines' own schema has three words; others stand for the nearest. */
const words: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'high', max: 'high' }

/** A budget in tokens as a word, where an engine has no budgets. The borders are ours, a factor of four apart. */
function effortOf({ effort, budget }: Reasoning): string | undefined {
  if (effort !== undefined || budget === undefined) return effort
  if (budget <= 4096) return 'low'
  return budget <= 16_384 ? 'medium' : 'high'
}
