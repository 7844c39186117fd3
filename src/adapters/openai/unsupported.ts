import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { promptText } from './embedded.ts'
import { invalid } from './fields.ts'
import { strangeFormat } from './format.ts'
import { reasoningOf } from './presets/reasoning.ts'
import type { ApiRequest } from './request.ts'
import { strangeCalls, strangeTools } from './tools.ts'

/**
 * What the embedded engine cannot do, and so must not seem to: an ignored `n` or `audio` would look like an answer. The
 * value that changes nothing is let pass.
 */
const harmless: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  best_of: (value) => value === 1,
  functions: (value) => Array.isArray(value) && value.length === 0,
  function_call: (value) => value === 'none',
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  audio: () => false,
  echo: (value) => value === false,
  suffix: (value) => value === '',
  // The model thinks as its template has it, or, where the template knows that, not at all.
  reasoning_effort: (value) => reasoningOf({ reasoning_effort: value })?.on !== true,
  reasoning: (value) => reasoningOf({ reasoning: value })?.on !== true,
  thinking: (value) => reasoningOf({ thinking: value })?.on !== true,
}

/** The first thing asked for that the embedded engine cannot do. What only the model can tell, its host refuses. */
export function unsupported(request: ApiRequest): Refusal | undefined {
  const { body } = request
  if (request.dialect === 'embeddings') return undefined
  for (const [param, isHarmless] of Object.entries(harmless)) {
    const value = body[param]
    if (value === undefined || value === null || isHarmless(value)) continue
    return refusal('unsupported_parameter', `the embedded engine does not support this value of "${param}"`, { param })
  }
  // Said in another API's words, it is no field of the body. `adaptive` leaves it to the model, as its template has it.
  const { on, budget, effort } = request.reasoning ?? {}
  if (on === true && (budget !== undefined || effort !== undefined))
    return refusal('unsupported_parameter', 'the embedded engine has no budget and no effort to think with', {
      param: 'thinking',
    })
  const strange = strangeFormat(body.response_format) ?? strangeBias(body.logit_bias) ?? strangeProbabilities(request)
  if (strange) return strange
  if (request.dialect === 'text') return strangePrompt(body.prompt)
  return strangeMessages(body.messages as readonly JsonObject[]) ?? strangeTools(body)
}

function strangeMessages(messages: readonly JsonObject[]): Refusal | undefined {
  for (const [index, message] of messages.entries()) {
    const calls = strangeCalls(message, `messages[${index}]`)
    if (calls) return calls
    if (!Array.isArray(message.content)) continue
    const part = (message.content as readonly JsonObject[]).findIndex((one) => one.type !== 'text')
    if (part === -1) continue
    const param = `messages[${index}].content[${part}]`
    return refusal('unsupported_parameter', `the embedded engine reads text only, and "${param}" is none`, { param })
  }
  return undefined
}

const strangePrompt = (prompt: unknown): Refusal | undefined =>
  promptText(prompt) === undefined
    ? refusal('unsupported_parameter', 'the embedded engine takes one prompt, as text', { param: 'prompt' })
    : undefined

/** As many as OpenAI's documentation shows; each is looked at in every step. */
const mostBiases = 1024

function strangeBias(biases: unknown): Refusal | undefined {
  if (biases === undefined || biases === null) return undefined
  const fine = ([token, bias]: [string, unknown]): boolean =>
    /^\d{1,9}$/.test(token) && typeof bias === 'number' && Math.abs(bias) <= 100
  if (isObject(biases) && Object.keys(biases).length <= mostBiases && Object.entries(biases).every(fine))
    return undefined
  return invalid(
    'logit_bias',
    `"logit_bias" must be an object of at most ${mostBiases} token numbers, each with a number from -100 to 100`,
  )
}

/** OpenAI allows 20 alternatives; each token with that many is some 2 KB. */
const mostAlternatives = 20

function strangeProbabilities({ dialect, body }: ApiRequest): Refusal | undefined {
  const count = (field: string): Refusal | undefined => {
    const value = body[field]
    const fine = value === undefined || value === null || (Number.isInteger(value) && Number(value) >= 0)
    if (!fine || Number(value) > mostAlternatives)
      return invalid(field, `"${field}" must be a whole number from 0 to ${mostAlternatives}`)
    return undefined
  }
  if (dialect === 'text') return count('logprobs')
  if (typeof (body.logprobs ?? false) !== 'boolean') return invalid('logprobs', '"logprobs" must be true or false')
  if (body.top_logprobs && body.logprobs !== true)
    return invalid('top_logprobs', '"top_logprobs" needs "logprobs": true')
  return count('top_logprobs')
}
