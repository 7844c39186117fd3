import type { Refusal } from '../../lines/inference/errors.ts'
import { invalid } from './fields.ts'

/** OpenAI's own bound. */
const mostInputs = 2048

/** A text or its tokens, or a list of either. */
export function wrongInput(input: unknown): Refusal | undefined {
  const list: readonly unknown[] = inputsOf(input)
  const fine = list.length > 0 && list.length <= mostInputs && list.every(isInput)
  return fine
    ? undefined
    : invalid(
        'input',
        `"input" must be a text that is not empty, an array of tokens, or at most ${mostInputs} of these`,
      )
}

const isInput = (one: unknown): boolean =>
  (typeof one === 'string' && one !== '') || (Array.isArray(one) && one.length > 0 && one.every(isToken))

const isToken = (one: unknown): boolean => Number.isSafeInteger(one) && Number(one) >= 0

/** A single one is a list of one; numbers side by side are the tokens of one. */
export const inputsOf = (input: unknown): readonly unknown[] =>
  Array.isArray(input) && !input.every((one) => typeof one === 'number') ? input : [input]
