import type { Refusal } from '../../../lines/inference/errors.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import { invalid } from '../fields.ts'
import { wrongResponsesField } from './fields.ts'
import { normalItems, wrongInputItems } from './items.ts'

/** A request of the Responses API, checked and not yet joined with what is kept of its conversation. */
export interface ResponsesAsk {
  readonly body: JsonObject
  /** What is new of the conversation, as items. */
  readonly items: readonly JsonObject[]
  /** The kept response that it goes on from. */
  readonly previous: string | undefined
  /** Kept responses that its items refer to. */
  readonly referred: readonly string[]
  /** The client wants it kept. */
  readonly store: boolean
}

/** Each is a row to be read before the request can begin. */
const mostReferred = 256

export function readAsk(body: JsonObject): ResponsesAsk | Refusal {
  const wrong = wrongResponsesField(body) ?? wrongInputItems(body.input)
  if (wrong) return wrong
  const items = normalItems(body.input)
  const referred = new Set<string>()
  for (const [index, item] of items.entries()) {
    if (item.type !== 'item_reference') continue
    const response = responseOfItem(String(item.id))
    if (response === undefined)
      return invalid(`input[${index}].id`, `"input[${index}].id" is no id of an item that was made here`)
    referred.add(response)
  }
  if (referred.size > mostReferred)
    return invalid('input', `"input" refers to items of more than ${mostReferred} responses`)
  return {
    body,
    items,
    previous: typeof body.previous_response_id === 'string' ? body.previous_response_id : undefined,
    referred: [...referred],
    store: body.store !== false,
  }
}

/** Ids of items hold the key of their response. */
export const responseId = (key: string): string => `resp_${key}`
const responseOfItem = (item: string): string | undefined => {
  const key = /^[a-z]+_([\w-]+)_i?\d+$/.exec(item)?.[1]
  return key === undefined ? undefined : responseId(key)
}

/** What the client asked of the reasoning. */
export function reasoningAsked({ reasoning }: JsonObject): { readonly effort: unknown; readonly summary: unknown } {
  const { effort = null, summary = null, generate_summary = null } = isObject(reasoning) ? reasoning : {}
  return { effort, summary: summary ?? generate_summary }
}

export function wantsSummary(body: JsonObject): boolean {
  const { summary } = reasoningAsked(body)
  return typeof summary === 'string' && summary !== 'none'
}
