/**
 * JSON Schema → a GBNF grammar all of whose texts are valid under it.
 *
 * It may allow less than the schema: properties come in the schema's order, and where properties are named no others are
 * written. What a grammar cannot promise (`uniqueItems`, `not`, `multipleOf` …) is refused with its place, never ignored;
 * annotations are ignored. The branches of `oneOf` are taken as those of `anyOf`.
 */
import { grammarText, jsonRules, listed, literal, type Rules, repeated } from './gbnf.ts'
import { isSchema, type Kind, kindsOf, only, type Path, type Schema, SchemaError } from './keywords.ts'
import { numberRule, sizes, stringRule } from './scalars.ts'

/** Far above what people write by hand; each node is a rule or part of one. */
const MOST_NODES = 5000
const DEEPEST = 100

/** @example schemaGrammar({ type: 'object', properties: { intent: { enum: ['a', 'b'] } }, required: ['intent'] }) */
export function schemaGrammar(schema: unknown): string {
  const rules = jsonRules()
  rules.set('root', addSchema(rules, schema))
  return grammarText(rules)
}

/** Adds the rules of a schema; throws `SchemaError`. What it gives stands for the schema in another rule's body. */
export const addSchema = (rules: Rules, schema: unknown): string =>
  new Compiler(rules, schema).rule(schema, [], new Set())

class Compiler {
  readonly #rules: Rules
  readonly #document: unknown
  /** Rule of each `$ref` that was met: what makes recursion end. */
  readonly #refs = new Map<string, string>()
  #nodes = 0

  constructor(rules: Rules, document: unknown) {
    this.#rules = rules
    this.#document = document
  }

  /** `open`: references that lead here without a character between. */
  rule(schema: unknown, path: Path, open: ReadonlySet<string>): string {
    if (++this.#nodes > MOST_NODES) throw new SchemaError(path, `the schema has more than ${MOST_NODES} parts`)
    if (path.length > DEEPEST) throw new SchemaError(path, 'the schema is nested too deeply')
    if (schema === true) return 'value'
    if (!isSchema(schema)) throw new SchemaError(path, 'this is not a schema')
    if (typeof schema.$ref === 'string') return this.#reference(schema, schema.$ref, path, open)
    const branches = ['anyOf', 'oneOf', 'allOf'].find((keyword) => schema[keyword] !== undefined)
    if (branches) return this.#branches(schema, branches, path, open)
    if ('const' in schema) return this.#literals(schema, 'const', [schema.const], path)
    if (schema.enum !== undefined) return this.#literals(schema, 'enum', schema.enum, path)
    const kinds = kindsOf(schema, path)
    return kinds.length === 0 ? 'value' : this.#add(kinds.map((kind) => this.#kind(kind, schema, path)).join(' | '))
  }

  #add(body: string): string {
    const name = `r${this.#rules.size}`
    this.#rules.set(name, body)
    return name
  }

  #reference(schema: Schema, ref: string, path: Path, open: ReadonlySet<string>): string {
    only(schema, ['$ref'], path)
    if (open.has(ref)) throw new SchemaError([...path, '$ref'], `"${ref}" refers to itself`)
    const known = this.#refs.get(ref)
    if (known) return known
    const name = this.#add('') // named before its body is made, which may refer to it
    this.#refs.set(ref, name)
    this.#rules.set(name, this.rule(this.#resolve(ref, path), path, new Set([...open, ref])))
    return name
  }

  /** A JSON pointer within the document. */
  #resolve(ref: string, path: Path): unknown {
    if (!ref.startsWith('#')) throw new SchemaError([...path, '$ref'], `"${ref}" is not within the schema`)
    const steps = ref.slice(1).split('/').slice(1)
    return steps.reduce<unknown>((at, step) => {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof at === 'object' && at !== null && Object.hasOwn(at, key)) return (at as Schema)[key]
      throw new SchemaError([...path, '$ref'], `the schema has no "${ref}"`)
    }, this.#document)
  }

  #branches(schema: Schema, keyword: string, path: Path, open: ReadonlySet<string>): string {
    only(schema, [keyword], path)
    const [list, at] = [schema[keyword], [...path, keyword]]
    if (!Array.isArray(list) || list.length === 0) throw new SchemaError(at, `"${keyword}" must be a list of schemas`)
    if (keyword === 'allOf' && list.length > 1)
      throw new SchemaError(at, '"allOf" of more than one schema is not supported')
    return this.#add(list.map((one, index) => this.rule(one, [...at, String(index)], open)).join(' | '))
  }

  #literals(schema: Schema, keyword: string, values: unknown, path: Path): string {
    only(schema, [keyword, 'type'], path)
    if (!Array.isArray(values) || values.length === 0)
      throw new SchemaError([...path, keyword], `"${keyword}" must be a list of values`)
    return this.#add(values.map((value) => literal(JSON.stringify(value))).join(' | '))
  }

  #kind(kind: Kind, schema: Schema, path: Path): string {
    switch (kind) {
      case 'object':
        return this.#object(schema, path)
      case 'array':
        return this.#array(schema, path)
      case 'string':
        return stringRule(schema, path)
      case 'number':
      case 'integer':
        return numberRule(kind, schema, path)
      default:
        return kind
    }
  }

  #object(schema: Schema, path: Path): string {
    const { properties = {}, required = [] } = schema
    if (!isSchema(properties)) throw new SchemaError([...path, 'properties'], '"properties" must be an object')
    if (!Array.isArray(required)) throw new SchemaError([...path, 'required'], '"required" must be a list of names')
    const unnamed = required.find((name) => typeof name !== 'string' || !Object.hasOwn(properties, name))
    if (unnamed !== undefined)
      throw new SchemaError([...path, 'required'], `"${String(unnamed)}" is required and not among the properties`)
    const names = Object.keys(properties)
    if (names.length === 0) return this.#dictionary(schema, path)
    for (const bound of ['minProperties', 'maxProperties'])
      if (schema[bound] !== undefined)
        throw new SchemaError([...path, bound], `"${bound}" beside "properties" is not supported`)
    const pairs = names.map((name) => {
      const value = this.rule(properties[name], [...path, 'properties', name], new Set())
      return { pair: `${literal(JSON.stringify(name))} ws ":" ws ${value} ws`, needed: required.includes(name) }
    })
    return `"{" ws ${this.#pairs(pairs)} "}"`
  }

  /**
   * Pairs in their order, some of which may be missing: for each place two rules, with and without a comma before, so that
   * the grammar grows with the number of properties and not with that of their subsets.
   */
  #pairs(pairs: readonly { readonly pair: string; readonly needed: boolean }[]): string {
    let [first, later] = ['""', '""']
    for (const { pair, needed } of [...pairs].reverse()) {
      const [asFirst, asLater] = [`${pair} ${later}`, `"," ws ${pair} ${later}`]
      first = this.#add(needed ? asFirst : `${asFirst} | ${first}`)
      later = this.#add(needed ? asLater : `${asLater} | ${later}`)
    }
    return first
  }

  #dictionary(schema: Schema, path: Path): string {
    const { additionalProperties: extra = true } = schema
    const [least, most] = sizes(schema, 'minProperties', 'maxProperties', path)
    if (extra === false && least > 0)
      throw new SchemaError([...path, 'minProperties'], 'no object can have so many properties')
    if (extra === false) return '"{" ws "}"'
    const value = this.rule(extra, [...path, 'additionalProperties'], new Set())
    return `"{" ws ${listed(`string ws ":" ws ${value}`, least, most)} "}"`
  }

  #array(schema: Schema, path: Path): string {
    const { prefixItems = [], items = true } = schema
    const [least, most] = sizes(schema, 'minItems', 'maxItems', path)
    if (!Array.isArray(prefixItems)) throw new SchemaError([...path, 'prefixItems'], '"prefixItems" must be a list')
    const first = prefixItems.map((one, at) => this.rule(one, [...path, 'prefixItems', String(at)], new Set()))
    if (items === false && least > first.length)
      throw new SchemaError([...path, 'minItems'], 'no list can have so many items')
    if (most !== undefined && most < first.length)
      throw new SchemaError([...path, 'maxItems'], '"maxItems" below the number of "prefixItems" is not supported')
    const item = items === false ? undefined : this.rule(items, [...path, 'items'], new Set())
    if (first.length === 0) return `"[" ws ${item ? listed(item, least, most) : ''} "]"`
    const room = most === undefined ? undefined : most - first.length
    const rest = item ? repeated(`"," ws ${item} ws`, Math.max(0, least - first.length), room) : ''
    return `"[" ws ${first.map((one) => `${one} ws`).join(' "," ws ')} ${rest} "]"`
  }
}
