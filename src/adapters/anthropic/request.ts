import type { ModelId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { tokens } from '../../units/quantity.ts'
import type { Check, FieldsOf } from '../openai/fields.ts'
import { boolean, firstWrong, invalid, list, mostTokens, number, object, stops, whole } from '../openai/fields.ts'
import type { Reasoning } from '../openai/presets/reasoning.ts'
import type { ParsedRequest } from '../openai/request.ts'
import { estimateOf, wrongModel } from '../openai/request.ts'
import { wrongMessages, wrongSystem, wrongTools } from './blocks-in.ts'

const sequences: Check<readonly string[]> = (value) => list(value) ?? stops(value)

/** What we look at; null is taken as absent. Fields not listed pass through unseen to an engine that speaks the same language. */
const checks = {
  stream: boolean,
  max_tokens: whole(1, mostTokens),
  temperature: number(0, 1),
  top_p: number(0, 1),
  top_k: whole(0, 1_000_000),
  stop_sequences: sequences,
  metadata: object,
  thinking: object,
  tool_choice: object,
  output_config: object,
  tools: list,
} satisfies Readonly<Record<string, Check>>

export type MessagesFields = FieldsOf<typeof checks>

/** Names of features, as the header lists them; what else stands in it does not travel on. */
const features = /^[a-z0-9-]{1,80}(, ?[a-z0-9-]{1,80}){0,19}$/

/** Checks what the gateway must understand of a request for an answer, or only for the size of its prompt. */
export function parseMessages(body: JsonObject, what: 'answer' | 'count', betas?: string): ParsedRequest {
  const wrong =
    wrongModel(body.model) ??
    firstWrong(body, checks) ??
    wrongSystem(body.system) ??
    wrongMessages(body.messages) ??
    wrongTools(body) ??
    wrongThinking(body) ??
    (what === 'answer' && typeof body.max_tokens !== 'number'
      ? invalid('max_tokens', '"max_tokens" must say how long the answer may be')
      : undefined)
  if (wrong) return { ok: false, refusal: wrong }
  const reasoning = reasoningOf(body)
  return {
    ok: true,
    request: {
      dialect: 'messages',
      model: id<ModelId>(String(body.model)),
      stream: body.stream === true && what === 'answer',
      includeUsage: true, // its streams always tell it
      maxOutput: typeof body.max_tokens === 'number' ? tokens(body.max_tokens) : undefined,
      promptEstimate: estimateOf('messages', body),
      body,
      ...(reasoning && { reasoning }),
      ...(betas !== undefined && features.test(betas) && { betas }),
    },
  }
}

/** The least that Anthropic's API takes. */
const leastBudget = 1024

function wrongThinking({ thinking, max_tokens }: JsonObject) {
  if (!isObject(thinking) || thinking.type !== 'enabled') return undefined
  const budget = thinking.budget_tokens
  if (!Number.isSafeInteger(budget) || Number(budget) < leastBudget)
    return invalid('thinking.budget_tokens', `"thinking.budget_tokens" must be a whole number from ${leastBudget}`)
  if (typeof max_tokens === 'number' && Number(budget) >= max_tokens)
    return invalid('thinking.budget_tokens', '"thinking.budget_tokens" must be less than "max_tokens"')
  return undefined
}

/** `enabled` has a budget, `adaptive` leaves it to the model; the effort stands beside it. */
function reasoningOf({ thinking, output_config }: JsonObject): Reasoning | undefined {
  const word = isObject(output_config) ? output_config.effort : undefined
  const effort = typeof word === 'string' && Object.hasOwn(efforts, word) ? efforts[word] : undefined
  const type = isObject(thinking) ? thinking.type : undefined
  if (type === 'disabled') return { on: false }
  if (type === undefined && effort === undefined) return undefined
  const budget = isObject(thinking) && type === 'enabled' ? Number(thinking.budget_tokens) : undefined
  return { on: true, ...(budget !== undefined && { budget }), ...(effort && { effort }) }
}

/** Anthropic's two highest have no name elsewhere. */
const efforts: Readonly<Record<string, string>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}
