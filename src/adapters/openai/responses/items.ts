import type { Refusal } from '../../../lines/inference/errors.ts'
import { refusal } from '../../../lines/inference/errors.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import { invalid } from '../fields.ts'

/** Longer conversations than any context holds are mistakes. */
const mostItems = 10_000

/** What of `input` is malformed, or of a kind that no engine here can read. */
export function wrongInputItems(input: unknown): Refusal | undefined {
  if (typeof input === 'string') return undefined
  if (!Array.isArray(input) || input.length === 0 || input.length > mostItems)
    return invalid('input', `"input" must be a text, or an array of 1 to ${mostItems} items`)
  for (const [index, item] of input.entries()) {
    const at = `input[${index}]`
    const wrong = isObject(item) ? wrongItem(at, item) : invalid(at, `"${at}" must be an object`)
    if (wrong) return wrong
  }
  return undefined
}

/** A text is the message of a user; what has no type is a message, or the id of an item. */
export function normalItems(input: unknown): JsonObject[] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : (input as readonly JsonObject[])
  return items.map((item) => {
    const type = typeOf(item)
    if (type !== 'message') return { ...item, type }
    const { content, role } = item
    const own = role === 'assistant' ? { type: 'output_text', annotations: [] } : { type: 'input_text' }
    return { ...item, type, content: typeof content === 'string' ? [{ ...own, text: content }] : content }
  })
}

const typeOf = ({ type, role }: JsonObject): unknown => type ?? (role === undefined ? 'item_reference' : 'message')

function wrongItem(at: string, item: JsonObject): Refusal | undefined {
  const must = (field: string, what = 'a string that is not empty'): Refusal | undefined =>
    typeof item[field] === 'string' && item[field] !== ''
      ? undefined
      : invalid(`${at}.${field}`, `"${at}.${field}" must be ${what}`)
  switch (typeOf(item)) {
    case 'message':
      return wrongMessage(at, item)
    case 'function_call':
      if (typeof item.arguments !== 'string') return invalid(`${at}.arguments`, `"${at}.arguments" must be a string`)
      return must('call_id') ?? must('name')
    case 'function_call_output':
      return must('call_id') ?? (typeof item.output === 'string' ? undefined : wrongParts(`${at}.output`, item.output))
    case 'reasoning':
      return wrongReasoning(at, item)
    case 'item_reference':
      return must('id', 'the id of an item')
    default:
      return refusal(
        'unsupported_parameter',
        'items are messages, function_call, function_call_output, reasoning and item_reference here',
        { param: `${at}.type` },
      )
  }
}

/** Who may speak. */
const roles = ['user', 'assistant', 'system', 'developer'] as const
export type Role = (typeof roles)[number]

function wrongMessage(at: string, { role, content }: JsonObject): Refusal | undefined {
  if (!roles.some((one) => one === role)) return invalid(`${at}.role`, `"${at}.role" must be ${roles.join(', ')}`)
  return typeof content === 'string' ? undefined : wrongParts(`${at}.content`, content)
}

/** Which field of a part must be a string. */
const partFields = {
  input_text: ['text'],
  output_text: ['text'],
  refusal: ['refusal'],
  input_image: ['image_url'],
  input_file: ['file_data', 'file_url'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type PartType = keyof typeof partFields

const fieldsOf = (type: unknown): readonly string[] | undefined =>
  typeof type === 'string' && Object.hasOwn(partFields, type) ? partFields[type as PartType] : undefined

function wrongParts(at: string, parts: unknown): Refusal | undefined {
  if (!Array.isArray(parts) || parts.length === 0) return invalid(at, `"${at}" must be a string or an array of parts`)
  for (const [index, part] of parts.entries()) {
    const here = `${at}[${index}]`
    const fields = isObject(part) ? fieldsOf(part.type) : undefined
    if (!fields)
      return refusal('unsupported_parameter', `a part is one of ${Object.keys(partFields).join(', ')} here`, {
        param: `${here}.type`,
      })
    if (!fields.some((field) => typeof (part as JsonObject)[field] === 'string'))
      return invalid(`${here}.${fields[0]}`, `"${here}" must hold "${fields.join('" or "')}" as a string`)
  }
  return undefined
}

function wrongReasoning(at: string, item: JsonObject): Refusal | undefined {
  for (const field of ['content', 'summary']) {
    const parts = item[field] ?? []
    if (!Array.isArray(parts) || !parts.every((part) => isObject(part) && typeof part.text === 'string'))
      return invalid(`${at}.${field}`, `"${at}.${field}" must be an array of parts with a text`)
  }
  return undefined
}
