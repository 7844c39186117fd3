import type { Refusal } from '../../../lines/inference/errors.ts'

/** What a field of chat is called in Responses. The longer name stands first. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^response_format\.json_schema/, 'text.format'],
  [/^response_format/, 'text.format'],
  [/^(tools\[\d+\])\.function/, '$1'],
  [/^max_(completion_)?tokens/, 'max_output_tokens'],
  [/^reasoning_effort/, 'reasoning.effort'],
  [/^logprobs/, 'include'],
  [/^messages$/, 'input'],
]

/** A refusal of the translated request, in the words of the request that was sent. */
export function inResponsesTerms(refusal: Refusal, from: readonly string[]): Refusal {
  const { param } = refusal
  if (param === undefined) return refusal
  const renamed = named(param, from)
  return { ...refusal, param: renamed, message: refusal.message.replaceAll(`"${param}"`, `"${renamed}"`) }
}

function named(param: string, from: readonly string[]): string {
  const [, index, rest = ''] = /^messages\[(\d+)\](.*)$/.exec(param) ?? []
  if (index !== undefined) {
    const origin = from[Number(index)] ?? 'input'
    return origin.startsWith('input[') ? origin + rest : origin
  }
  const found = names.find(([chat]) => chat.test(param))
  return found ? param.replace(found[0], found[1]) : param
}
