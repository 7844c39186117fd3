import { isUtf8 } from 'node:buffer'
import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

/** No API body is nested deeper than a tool's schema, which stays far below this; recursion over it stays shallow. */
export const deepest = 64

export type Parsed =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly refusal: Refusal }

const invalid = (message: string): Parsed => ({ ok: false, refusal: refusal('invalid_json', message) })

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])
const beginsWithMark = (bytes: Buffer): boolean => bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark)

/** One JSON object, of bounded depth, in valid UTF-8. */
export function parseObject(bytes: Buffer): Parsed {
  if (!isUtf8(bytes)) return invalid('the body is not valid UTF-8')
  const text = bytes.toString('utf8', beginsWithMark(bytes) ? byteOrderMark.length : 0)
  if (depthOf(text) > deepest) return invalid(`the body is nested deeper than ${deepest} levels`)
  let value: unknown
  try {
    value = JSON.parse(text, mayHoldProto.test(text) ? dropProto : undefined)
  } catch (error) {
    return invalid(`the body is not valid JSON: ${where(error)}`)
  }
  if (!isObject(value)) return invalid('the body is not a JSON object')
  return { ok: true, value }
}

/** Nothing so short can be nested so deep that recursion over it overflows the stack. */
const surelyShallow = 4096

/** What an upstream sent, as an object of bounded depth; undefined: it is none. */
export function parseReply(text: string): JsonObject | undefined {
  if (text.length > surelyShallow && depthOf(text) > deepest) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** V8's message quotes the text around the fault; what was in a prompt stays out of messages. */
const where = (error: unknown): string =>
  /position \d+/.exec(error instanceof Error ? error.message : '')?.[0] ?? 'it breaks off or has a stray character'

/** The key as it stands, or any letter of it escaped: then every key is looked at, which ordinary bodies are spared. */
const mayHoldProto = /__proto__|\\u00/
const dropProto = (key: string, value: unknown): unknown => (key === '__proto__' ? undefined : value)

/** Deepest nesting of brackets outside strings; stops looking beyond the bound. */
function depthOf(text: string): number {
  let depth = 0
  let most = 0
  for (let at = 0; at < text.length && most <= deepest; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at)
    else if (code === openBrace || code === openBracket) most = Math.max(most, ++depth)
    else if (code === closeBrace || code === closeBracket) depth--
  }
  return most
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93]

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return at
  }
  return text.length
}
