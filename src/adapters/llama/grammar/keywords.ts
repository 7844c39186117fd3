/** Which words of JSON Schema are understood, and how it is told that one is not. */

export type Schema = { readonly [keyword: string]: unknown }
export type Path = readonly string[]

/** A schema, or a part of it, that no grammar of ours stands for; `path` as in `properties.age.multipleOf`. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
  readonly path: string

  constructor(path: Path, why: string) {
    super(why)
    this.path = path.join('.')
  }
}

export const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** They say nothing about which values are valid. */
const ANNOTATIONS = new Set(
  'title description default examples example deprecated readOnly writeOnly $schema $id $comment $anchor $defs definitions'.split(
    ' ',
  ),
)

/** Which keywords each type may have, beside annotations and `type`. */
export const KEYWORDS = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
} as const satisfies Record<string, readonly string[]>
export type Kind = keyof typeof KEYWORDS

/** A schema without `type` that speaks of properties is meant for objects, and so on. */
const implied = (schema: Schema): Kind[] =>
  (['object', 'array', 'string', 'number'] as const).filter((kind) =>
    KEYWORDS[kind].some((keyword) => schema[keyword] !== undefined),
  )

/** The types a schema allows: those it names, else those its keywords speak of; none: any value. */
export function kindsOf(schema: Schema, path: Path): readonly Kind[] {
  const { type } = schema
  const named: readonly unknown[] = type === undefined ? implied(schema) : Array.isArray(type) ? type : [type]
  const kinds = named.map((kind) => {
    if (typeof kind !== 'string' || !Object.hasOwn(KEYWORDS, kind))
      throw new SchemaError([...path, 'type'], `there is no type ${JSON.stringify(kind)}`)
    return kind as Kind
  })
  only(schema, ['type', ...kinds.flatMap((kind) => KEYWORDS[kind])], path)
  return kinds
}

/** Refuses keywords that are not among those understood here. */
export function only(schema: Schema, known: readonly string[], path: Path): void {
  const stranger = Object.keys(schema).find(
    (name) => !known.includes(name) && !ANNOTATIONS.has(name) && !name.startsWith('x-'),
  )
  if (stranger !== undefined) throw new SchemaError([...path, stranger], `"${stranger}" is not supported here`)
}
