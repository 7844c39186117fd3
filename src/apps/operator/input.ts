import type Type from 'typebox'
import { Compile } from 'typebox/compile'
import { Convert } from 'typebox/value'
import { ControlError } from './errors.ts'
import { didYouMean } from './nearest.ts'

export type Parse = (given: Readonly<Record<string, unknown>>, fromText: readonly string[]) => Record<string, unknown>

/**
 * A parser of one route's input: path, query and body together. What came as text (path and query) is turned into the
 * type the schema wants; a body must have it already. The first thing that is wrong is told, in words of the caller.
 */
export function inputParser(schema: Type.TObject): Parse {
  const known = Object.keys(schema.properties)
  const check = Compile(schema)
  return (given, fromText) => {
    const stranger = Object.keys(given).find((name) => !known.includes(name))
    if (stranger !== undefined)
      throw new ControlError('unknown_field', `unknown field ${quote(stranger)}${didYouMean(stranger, known)}`, {
        param: stranger,
      })
    const converted = { ...given, ...pick(Convert(schema, pick(given, fromText)), fromText) }
    const [wrong] = check.Check(converted) ? [] : check.Errors(converted)
    if (!wrong) return converted
    const missing = (wrong.params as { requiredProperties?: string[] }).requiredProperties?.[0]
    const param = missing ?? wrong.instancePath.split('/')[1] ?? ''
    const said = schema.properties[param] as { readonly description?: string } | undefined
    const why = missing === undefined ? `${param} ${oneOf(schema, param) ?? wrong.message}` : `${missing} is missing`
    throw new ControlError('invalid_value', said?.description ? `${why}: ${said.description}` : why, { param })
  }
}

/** A union of words is told by its words: the checker tells of the first alone. */
function oneOf(schema: Type.TObject, param: string): string | undefined {
  const field = schema.properties[param] as { readonly anyOf?: readonly { readonly const?: unknown }[] } | undefined
  const words = field?.anyOf?.flatMap((one) => (typeof one.const === 'string' ? one.const : []))
  return words && words.length > 0 ? `must be one of ${words.join(', ')}` : undefined
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 60))

const pick = (from: unknown, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from as object).filter(([name]) => names.includes(name)))
