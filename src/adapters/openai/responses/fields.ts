import type { Refusal } from '../../../lines/inference/errors.ts'
import { refusal } from '../../../lines/inference/errors.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import {
  boolean,
  type Check,
  type FieldsOf,
  firstWrong,
  invalid,
  list,
  mostTokens,
  object,
  text,
  whole,
} from '../fields.ts'

const oneOf =
  <Word extends string>(...words: readonly Word[]): Check<Word> =>
  (value) =>
    words.some((word) => word === value) ? undefined : words.join(', ').replace(/, ([^,]*)$/, ' or $1')

/** Extra fields of an answer. Those of tools that are not here have nothing to be in, so asking for them is harmless. */
const includes = [
  'message.output_text.logprobs',
  'reasoning.encrypted_content',
  'message.input_image.image_url',
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'code_interpreter_call.outputs',
  'computer_call_output.output.image_url',
] as const
const including: Check<readonly (typeof includes)[number][]> = (value) =>
  Array.isArray(value) && value.every((one) => includes.some((known) => known === one))
    ? undefined
    : `a list of ${includes.join(', ')}`

/** OpenAI's own bounds. */
const [mostPairs, longestKey, longestValue] = [16, 64, 512]
const pairs: Check<Readonly<Record<string, string>>> = (value) => {
  const fine = ([key, one]: [string, unknown]): boolean =>
    key.length <= longestKey && typeof one === 'string' && one.length <= longestValue
  return isObject(value) && Object.keys(value).length <= mostPairs && Object.entries(value).every(fine)
    ? undefined
    : `an object of at most ${mostPairs} strings (keys of ${longestKey} characters, values of ${longestValue})`
}

/** What is said of a kept response is a name of a hundred characters at most. */
const name: Check<string> = (value) =>
  typeof value === 'string' && /^[\w-]{1,200}$/.test(value) ? undefined : 'the id of a response'

const checks = {
  instructions: text,
  max_output_tokens: whole(1, mostTokens),
  max_tool_calls: whole(1, 1_000_000),
  metadata: pairs,
  include: including,
  previous_response_id: name,
  reasoning: object,
  store: boolean,
  stream: boolean,
  text: object,
  tools: list,
  top_logprobs: whole(0, 20),
  truncation: oneOf('disabled', 'auto'),
} satisfies Readonly<Record<string, Check>>

export type ResponsesFields = FieldsOf<typeof checks>

const efforts = oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')
const reasoningChecks = {
  effort: efforts,
  summary: oneOf('auto', 'concise', 'detailed', 'none'),
  max_tokens: whole(0, mostTokens),
} satisfies Readonly<Record<string, Check>>

export type ReasoningFields = FieldsOf<typeof reasoningChecks>

/** What Responses can do elsewhere and not here; the value that changes nothing is let pass. */
const harmless: Readonly<Record<string, (value: unknown) => boolean>> = {
  background: (value) => value === false,
  conversation: () => false,
  prompt: () => false,
  truncation: (value) => value === 'disabled',
  context_management: (value) => Array.isArray(value) && value.length === 0,
  n: (value) => value === 1,
}

/** The first field that is not what it must be, or asks for what is not done here. */
export function wrongResponsesField(body: JsonObject): Refusal | undefined {
  const wrong = firstWrong(body, checks) ?? firstWrong(within(body.reasoning), reasoningChecks, 'reasoning.')
  if (wrong) return wrong
  for (const [param, isHarmless] of Object.entries(harmless)) {
    const value = body[param]
    if (value === undefined || value === null || isHarmless(value)) continue
    return refusal('unsupported_parameter', `this value of "${param}" is not supported`, { param })
  }
  return wrongTools(body.tools) ?? wrongChoice(body.tool_choice) ?? wrongFormat(within(body.text).format)
}

const within = (value: unknown): JsonObject => (isObject(value) ? value : {})

function wrongTools(tools: unknown): Refusal | undefined {
  for (const [index, tool] of (Array.isArray(tools) ? tools : []).entries()) {
    const at = `tools[${index}]`
    if (!isObject(tool)) return invalid(at, `"${at}" must be an object`)
    if (tool.type !== 'function')
      return refusal('unsupported_parameter', 'tools of type "function" can be called here, and no others', {
        param: `${at}.type`,
      })
    if (typeof tool.name !== 'string' || tool.name === '')
      return invalid(`${at}.name`, `"${at}.name" must be the name of the function`)
  }
  return undefined
}

function wrongChoice(choice: unknown): Refusal | undefined {
  if (choice === undefined || choice === null || choice === 'none' || choice === 'auto' || choice === 'required')
    return undefined
  const { type, name: called } = within(choice)
  if (type === 'function' && typeof called === 'string') return undefined
  return refusal(
    'unsupported_parameter',
    '"tool_choice" can be none, auto, required or {"type": "function", "name": …} here',
    { param: 'tool_choice' },
  )
}

function wrongFormat(format: unknown): Refusal | undefined {
  if (format === undefined || format === null) return undefined
  const { type, schema, name: called } = within(format)
  if (type === 'text' || type === 'json_object') return undefined
  if (type !== 'json_schema')
    return invalid('text.format.type', '"text.format.type" must be text, json_object or json_schema')
  if (!isObject(schema)) return invalid('text.format.schema', '"text.format.schema" must be a JSON Schema')
  return typeof called === 'string' ? undefined : invalid('text.format.name', '"text.format.name" must be a string')
}
