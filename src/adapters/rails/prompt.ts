import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { Rail } from '../../lines/inference/rail.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { asSearched, bytesOf, compiled } from './compiled.ts'

/** Why a request may not be asked; undefined: it may. The refusal names the rail and the place, never the text. */
export function deniedPrompt(rails: readonly Rail[], body: JsonObject): Refusal | undefined {
  const bound = rails.flatMap((rail) =>
    rail.input ? [{ name: rail.name, rule: rail.input, has: compiled(rail).input }] : [],
  )
  if (bound.length === 0) return undefined
  const { texts, joined } = textsOf(body)
  const numbers = numbersIn(body)
  let searched: Texts['texts'] | undefined
  const bytes = bytesOf(texts.map(({ text }) => text))
  for (const { name, rule, has } of bound) {
    const most = Math.min(rule.most_bytes ?? Number.POSITIVE_INFINITY, has ? has.mostBytes : Number.POSITIVE_INFINITY)
    if (bytes > most)
      return refusal('prompt_too_large', `the prompt has ${bytes} bytes; guard rail ${name} allows ${most}`)
    if (!has) continue
    if (numbers !== undefined)
      return refusal('prompt_denied', `guard rail ${name} cannot read a prompt of token numbers`, { param: numbers })
    searched ??= [...texts, ...joined].map(({ at, text }) => ({ at, text: asSearched(text) }))
    if (bytesOf(searched.map(({ text }) => text)) > has.mostSearched)
      return refusal('prompt_too_large', `the prompt is more than the patterns of guard rail ${name} search in time`)
    const found = searched.find(({ text }) => has(text))
    if (found) return refusal('prompt_denied', `guard rail ${name} denies this prompt`, { param: found.at })
  }
  return undefined
}

interface Texts {
  readonly texts: { readonly at: string; readonly text: string }[]
  /** Parts of one content as the one text that models read: searched, and not counted again. */
  readonly joined: { readonly at: string; readonly text: string }[]
}

/** Words of the protocol, and what is no text but bytes. */
const notText = new Set(['role', 'type', 'id', 'tool_call_id', 'data', 'file_data'])

/** Every text of a request, wherever it stands, so that no field is a way around. Images and sound are not looked into. */
function textsOf(body: JsonObject): Texts {
  const found: Texts = { texts: [], joined: [] }
  for (const [field, value] of Object.entries(body)) if (field !== 'model') collect(value, field, found)
  return found
}

function collect(value: unknown, at: string, found: Texts): void {
  if (typeof value === 'string') return void found.texts.push({ at, text: value })
  if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) collect(one, `${at}[${index}]`, found)
    const parts = value.flatMap((part) => (isObject(part) && typeof part.text === 'string' ? [part.text] : []))
    if (parts.length > 1) found.joined.push({ at, text: parts.join('') })
    return
  }
  if (!isObject(value)) return
  for (const [field, one] of Object.entries(value)) {
    const bytes = field === 'url' && typeof one === 'string' && one.startsWith('data:')
    if (!bytes && !notText.has(field)) collect(one, `${at}.${field}`, found)
  }
}

/** Where tokens are given as numbers; undefined: nowhere. */
const numbersIn = (body: JsonObject): string | undefined =>
  ['prompt', 'input'].find((field) => {
    const value = body[field]
    return Array.isArray(value) && value.flat().some((one) => typeof one === 'number')
  })
