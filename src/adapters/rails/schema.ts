import { Check } from 'typebox/schema'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'

const types = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])

/** Why a schema cannot be checked against; undefined: it can. It is walked by the checker, and never made into code. */
export function wrongSchema(schema: JsonObject): string | undefined {
  const why = wrongIn(schema, 0)
  if (why) return why
  try {
    for (const value of [{}, [], '', 0, null]) Check(schema, value)
    return undefined
  } catch {
    return 'refers to itself without end'
  }
}

function wrongIn(schema: unknown, depth: number): string | undefined {
  if (depth > 32) return 'is nested deeper than 32 levels'
  if (Array.isArray(schema)) return first(schema, depth)
  if (!isObject(schema)) return undefined
  for (const keyword of ['pattern', 'patternProperties'])
    if (keyword in schema)
      return `has "${keyword}", which need not be linear: deny or ask for it with patterns of the rail`
  const { $ref, type } = schema
  if (typeof $ref === 'string' && !$ref.startsWith('#')) return `refers to ${$ref}, which is not in it`
  const strange = [type].flat().find((one) => typeof one === 'string' && !types.has(one))
  if (strange !== undefined) return `has the unknown type ${String(strange)}`
  return first(Object.values(schema), depth)
}

function first(all: readonly unknown[], depth: number): string | undefined {
  for (const one of all) {
    const why = wrongIn(one, depth + 1)
    if (why) return why
  }
  return undefined
}

/** Whether a text is JSON that satisfies a schema. */
export const schemaCheck =
  (schema: JsonObject) =>
  (text: string): boolean => {
    try {
      return Check(schema, JSON.parse(text))
    } catch {
      return false
    }
  }
