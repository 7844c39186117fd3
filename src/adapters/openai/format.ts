import type { Refusal } from '../../lines/inference/errors.ts'
import { refusal } from '../../lines/inference/errors.ts'
import { isObject } from '../../units/json.ts'
import { anyObject } from '../llama/grammar/gbnf.ts'
import { SchemaError } from '../llama/grammar/keywords.ts'
import { schemaGrammar } from '../llama/grammar/schema.ts'
import { invalid } from './fields.ts'

/** Throws `SchemaError` where no grammar stands for the format. */
export function grammarOf(format: unknown): { readonly grammar?: string } {
  if (!isObject(format) || format.type === 'text') return {}
  if (format.type === 'json_object') return { grammar: anyObject() }
  const { json_schema } = format
  return { grammar: schemaGrammar(isObject(json_schema) ? json_schema.schema : undefined) }
}

/** What of a response format is malformed, or more than a grammar can promise. */
export function strangeFormat(format: unknown): Refusal | undefined {
  if (format === undefined || format === null) return undefined
  const { type, json_schema } = isObject(format) ? format : {}
  if (type !== 'text' && type !== 'json_object' && type !== 'json_schema')
    return invalid('response_format.type', '"response_format.type" must be text, json_object or json_schema')
  if (type === 'json_schema' && !(isObject(json_schema) && isObject(json_schema.schema)))
    return invalid('response_format.json_schema', '"response_format.json_schema" must hold a "schema"')
  return strangeSchema(() => grammarOf(format), 'response_format.json_schema.schema')
}

/** Why no grammar stands for the schema that lies at `param`. */
export function strangeSchema(make: () => unknown, param: string): Refusal | undefined {
  try {
    make()
    return undefined
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    return refusal('unsupported_parameter', `the embedded engine cannot hold to this schema: ${error.message}`, {
      param: error.path === '' ? param : `${param}.${error.path}`,
    })
  }
}
