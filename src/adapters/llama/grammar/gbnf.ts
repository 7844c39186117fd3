/** Pieces of GBNF, llama.cpp's grammar notation, and the rules of JSON in it. */

/** Rules by name, `root` among them. Names hold letters, digits and dashes. */
export type Rules = Map<string, string>

/**
 * JSON as models write it: on one line or indented. Blanks are bounded, since a model that may write a blank for ever
 * sometimes does.
 */
const JSON_RULES: readonly (readonly [name: string, body: string])[] = [
  ['ws', '( [ ] | "\\n" [ \\t]{0,20} )?'],
  ['char', '[^"\\\\\\x7F\\x00-\\x1F] | "\\\\" ( ["\\\\/bfnrt] | "u" [0-9a-fA-F]{4} )'],
  ['string', '"\\"" char* "\\""'],
  ['digits', '[0-9]{1,16}'],
  ['integer', '"-"? ( "0" | [1-9] [0-9]{0,15} )'],
  ['number', 'integer ( "." digits )? ( [eE] [-+]? [0-9]{1,3} )?'],
  ['boolean', '"true" | "false"'],
  ['null', '"null"'],
  ['value', 'object | array | string | number | boolean | null'],
  ['object', '"{" ws ( string ws ":" ws value ws ( "," ws string ws ":" ws value ws )* )? "}"'],
  ['array', '"[" ws ( value ws ( "," ws value ws )* )? "]"'],
]

export const jsonRules = (): Rules => new Map(JSON_RULES)

/** A text as a GBNF literal. */
export const literal = (text: string): string =>
  `"${text.replace(/[\\"\n\r\t]/g, (one) => ({ '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[one] ?? one)}"`

/** llama.cpp writes a bounded repetition out, copy by copy, and refuses more of them. */
export const MOST_REPEATS = 2000

/** `item` at least `least` and at most `most` times; `most` undefined: without end. */
export function repeated(item: string, least: number, most: number | undefined): string {
  if (most === 0) return '""'
  if (least === 0 && most === undefined) return `( ${item} )*`
  return `( ${item} ){${least},${most ?? ''}}`
}

/** The same with `,` between, as in a JSON list. */
export function listed(item: string, least: number, most: number | undefined): string {
  if (most === 0) return '""'
  const more = repeated(`"," ws ${item} ws`, Math.max(0, least - 1), most === undefined ? undefined : most - 1)
  return least === 0 ? `( ${item} ws ${more} )?` : `${item} ws ${more}`
}

/** Rules → the text that llama.cpp reads. */
export const grammarText = (rules: Rules): string => [...rules].map(([name, body]) => `${name} ::= ${body}\n`).join('')

/** Any JSON object: what `response_format: {"type": "json_object"}` allows. */
export const anyObject = (): string => grammarText(jsonRules().set('root', 'object'))
