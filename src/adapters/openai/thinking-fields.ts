import type { JsonObject } from '../../units/json.ts'
import type { Thinking } from './request.ts'

/**
 * Engines whose chat template decides: it takes what it knows and skips the rest (docs.sglang.io, "Thinking budget";
 * docs.vllm.ai, "Reasoning outputs"). A budget there is a hint; what bounds the answer is its `max_tokens`.
 */
const byTemplate: ReadonlySet<string | null | undefined> = new Set(['vllm', 'sglang', 'tensorrt-llm', 'llama.cpp'])

/** What an engine with OpenAI's API is told of thinking, in its own words. Elsewhere nothing can switch it off. */
export function thinkingFields(product: string | null | undefined, thinking: Thinking | undefined): JsonObject {
  if (!thinking) return {}
  const effort = thinking.on ? (thinking.effort ?? effortOf(thinking.budget)) : undefined
  const words = effort ? { reasoning_effort: effort } : {}
  if (!byTemplate.has(product)) return words
  const budget = thinking.on ? thinking.budget : undefined
  return {
    ...words,
    chat_template_kwargs: { enable_thinking: thinking.on, ...(budget !== undefined && { thinking_budget: budget }) },
  }
}

/** A budget in tokens as a word. The borders are ours: four times as much thinking from one word to the next. */
const effortOf = (budget: number | undefined): 'low' | 'medium' | 'high' | undefined => {
  if (budget === undefined) return undefined
  if (budget <= 4096) return 'low'
  return budget <= 16_384 ? 'medium' : 'high'
}
