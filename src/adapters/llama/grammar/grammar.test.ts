import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LlamaGrammar } from 'node-llama-cpp'
import Schema from 'typebox/schema'
import { sharedLlama } from '../testing-engine.ts'
import { anyObject } from './gbnf.ts'
import { SchemaError } from './keywords.ts'
import { schemaGrammar } from './schema.ts'

/** llama.cpp's own word on whether a grammar allows a text as a whole. */
const { llama } = await sharedLlama()
const allows = (grammar: string): ((text: string) => boolean) => {
  const made = new LlamaGrammar(llama, { grammar }) as unknown as { _testText(text: string): boolean }
  return (text) => made._testText(text)
}

const list = { $defs: { node: {} as unknown }, $ref: '#/$defs/node' }
list.$defs.node = {
  type: 'object',
  properties: { v: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
  required: ['v', 'next'],
}

/** Schema, texts it allows, texts it does not. */
const cases: readonly (readonly [schema: object | boolean, yes: readonly string[], no: readonly string[]])[] = [
  [true, ['{"a": [1, 2.5e3, null]}', '"x"', 'false'], ['{"a": }', 'nul']],
  [{}, ['[]', '-0.5'], ['[,]']],
  [
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['b'] },
    ['{"b": 1}', '{"a":"x","b":2}', '{\n  "a": "x",\n  "b": 2\n}'],
    ['{}', '{"a":"x"}', '{"b":1,"a":"x"}', '{"a":"x",}', '{"b":1.5}'],
  ],
  [
    { type: 'object', properties: { a: { const: 1 }, b: { const: 2 }, c: { type: 'null' } } },
    ['{}', '{"b": 2}', '{"a":1,"c":null}', '{"c":null}'],
    ['{,"a":1}', '{"a":1,,"c":null}', '{"c":null,"a":1}'],
  ],
  [{ type: 'object', properties: { 'say "\\n"': {} } }, ['{"say \\"\\\\n\\"": 1}'], ['{"say": 1}']],
  [{ type: 'object', additionalProperties: { type: 'number' } }, ['{}', '{"k": 1.5, "l": 2}'], ['{"k":"x"}']],
  [
    { type: 'object', minProperties: 1, maxProperties: 2 },
    ['{"a":1}', '{"a":1,"b":[]}'],
    ['{}', '{"a":1,"b":1,"c":1}'],
  ],
  [
    { type: 'array', items: { enum: ['a', 1, null, { x: [] }] }, minItems: 1, maxItems: 3 },
    ['["a", 1, null]', '[{"x":[]}]'],
    ['[]', '[1,1,1,1]', '[2]'],
  ],
  [
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false },
    ['[1, "a"]'],
    ['[1]', '[1,"a",2]'],
  ],
  [{ prefixItems: [{ type: 'integer' }], maxItems: 2 }, ['[1]', '[1, "a"]'], ['[]', '[1,2,3]']],
  [
    { type: ['string', 'null'], minLength: 2, maxLength: 3 },
    ['"ab"', 'null', '"éé"', '"\\n\\u00e9"'],
    ['"a"', '"abcd"', '1'],
  ],
  [
    { type: 'integer', minimum: -5, maximum: 123 },
    ['-5', '0', '99', '100', '123', '-1'],
    ['-6', '124', '200', '1.5', '007'],
  ],
  [{ type: 'integer', exclusiveMinimum: 0 }, ['1', '10', '90071'], ['0', '-1']],
  [{ type: 'number', minimum: 0, maximum: 1 }, ['0', '1', '0.5', '0.25'], ['1.5', '2', '-0.1', '1.1']],
  [{ type: 'number', minimum: -2, maximum: 3 }, ['-2', '-1.99', '0', '2.9', '3', '-0.5'], ['-2.1', '3.01', '4']],
  [{ type: 'string', pattern: '^[A-Z]{2,3}-\\d+$' }, ['"AB-12"'], ['"A-1"', '"AB-"', '"xAB-1"']],
  [{ type: 'string', pattern: 'b[ -~]c|^z(yx)?$' }, ['"ab!cd"', '"z"', '"zyx"'], ['"ab\\"c"', '"a"', '"zy"']],
  [
    { type: 'string', format: 'date' },
    ['"2024-12-31"', '"2024-02-29"', '"2023-04-30"'],
    ['"2023-02-29"', '"2023-04-31"', '"2023-13-01"', '"1900-02-29"'],
  ],
  [
    { type: 'string', format: 'date-time' },
    ['"2024-12-31T10:00:00Z"', '"2024-12-31T10:00:00.123+02:00"'],
    ['"2024-12-31"', '"2024-12-31T24:00:00Z"'],
  ],
  [list, ['{"v":1,"next":{"v":2,"next":null}}'], ['{"v":1}', '{"v":1,"next":2}']],
  [{ allOf: [{ type: 'boolean' }], title: 'Sure?', description: 'x', default: false }, ['true'], ['"true"']],
]

test('a schema allows what it should and nothing else', () => {
  for (const [schema, yes, no] of cases) {
    const fits = allows(schemaGrammar(schema))
    for (const text of yes) assert(fits(text), `${JSON.stringify(schema)} allows ${text}`)
    for (const text of no) assert(!fits(text), `${JSON.stringify(schema)} does not allow ${text}`)
  }
  const any = allows(anyObject())
  assert(any('{"a": {"b": []}}') && !any('[]') && !any('{}x'))
})

test('what a grammar cannot promise is refused with its place', () => {
  const refused: readonly (readonly [schema: unknown, path: string])[] = [
    [{ properties: { a: { items: { type: 'integer', multipleOf: 2 } } } }, 'properties.a.items.multipleOf'],
    [{ $ref: '#' }, '$ref'],
    [{ $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'null' }] } }, $ref: '#/$defs/a' }, 'anyOf.0.$ref'],
    [{ $ref: 'https://example.com/schema' }, '$ref'],
    [{ $ref: '#/$defs/nobody' }, '$ref'],
    [{ type: 'number', minimum: 0.5 }, 'minimum'],
    [{ type: 'integer', minimum: 3, maximum: 2 }, 'minimum'],
    [{ type: 'string', pattern: '(?=a)' }, 'pattern'],
    [{ type: 'string', pattern: '(' }, 'pattern'],
    [{ type: 'string', format: 'hostname' }, 'format'],
    [{ type: 'string', maxLength: 3000 }, 'maxLength'],
    [{ not: {} }, 'not'],
    [{ type: 'array', uniqueItems: true }, 'uniqueItems'],
    [{ type: 'object', required: ['x'] }, 'required'],
    [{ type: 'int' }, 'type'],
    [{ enum: [] }, 'enum'],
    [{ anyOf: [{ type: 'null' }], properties: {} }, 'properties'],
    [{ allOf: [{}, {}] }, 'allOf'],
    [false, ''],
    ['string', ''],
  ]
  for (const [schema, path] of refused)
    assert.throws(
      () => schemaGrammar(schema),
      (error) => error instanceof SchemaError && error.path === path && error.message.length > 5,
      JSON.stringify(schema),
    )
})

test('a range of whole numbers allows exactly its numbers', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1200, max: 1200 }), fc.nat(1500), (low, width) => {
      const fits = allows(schemaGrammar({ type: 'integer', minimum: low, maximum: low + width }))
      for (let value = low - 60; value <= low + width + 60; value += 1 + Math.floor(width / 97))
        assert.equal(fits(String(value)), value >= low && value <= low + width, `${value} of ${low} to ${low + width}`)
    }),
    { numRuns: 60 },
  )
})

test('a pattern allows what the regular expression matches', () => {
  const patterns = ['^a+b?$', 'x', '^(ab|c){2}', '[^a-c]z$', '^\\w\\D.$', '^$', '^a|b$', '\\x41-?', '^[\\d.-]{1,3}$']
  fc.assert(
    fc.property(
      fc.constantFrom(...patterns),
      fc.string({ unit: fc.constantFrom(...'abcxzA1-. '), maxLength: 5 }),
      (pattern, text) => {
        const fits = allows(schemaGrammar({ type: 'string', pattern }))
        assert.equal(fits(JSON.stringify(text)), new RegExp(pattern).test(text), `${pattern} ${JSON.stringify(text)}`)
      },
    ),
    { numRuns: 600 },
  )
})

/** Schemas of the supported kind. */
const schemas = fc.letrec<{ any: object; leaf: object; tree: object }>((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('tree')),
  leaf: fc.oneof(
    fc.constantFrom<object>(
      { type: 'boolean' },
      { type: 'null' },
      { type: 'string', maxLength: 4 },
      { enum: ['a', 2] },
    ),
    fc.constantFrom<object>({ type: 'string', format: 'date' }, { type: 'string', pattern: '^[a-f]{1,3}$' }),
    fc
      .tuple(fc.integer({ min: -50, max: 50 }), fc.nat(90))
      .map(([minimum, more]) => ({ type: 'integer', minimum, maximum: minimum + more })),
  ),
  tree: fc.oneof(
    fc.tuple(tie('any'), fc.nat(2)).map(([items, minItems]) => ({ type: 'array', items, minItems, maxItems: 2 })),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.tuple(fc.array(tie('any'), { minLength: 1, maxLength: 3 }), fc.nat(7)).map(([values, bits]) => ({
      type: 'object',
      properties: Object.fromEntries(values.map((value, at) => [`p${at}`, value])),
      required: values.flatMap((_, at) => ((bits >> at) & 1 ? [`p${at}`] : [])),
      additionalProperties: false,
    })),
  ),
}))

/** Values of which some fit: what random JSON seldom does. */
const values = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(true, null, 'a', 2, '', 'abc', '2020-01-31', 'abcdef', 'fee', 7, -3),
    fc.array(tie('any'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('p0', 'p1', 'p2'), tie('any'), { maxKeys: 3 }),
  ),
}))

test('no grammar allows a text that its schema does not', () => {
  let [fitting, all] = [0, 0]
  fc.assert(
    fc.property(schemas.any, fc.array(values.any, { minLength: 20, maxLength: 20 }), (schema, tried) => {
      const fits = allows(schemaGrammar(schema))
      const validator = Schema.Compile(schema)
      for (const value of tried) {
        all++
        if (!fits(JSON.stringify(value))) continue
        fitting++
        assert(validator.Check(value), `${JSON.stringify(schema)} does not allow ${JSON.stringify(value)}`)
      }
    }),
    { numRuns: 300 },
  )
  assert(fitting > all / 50, `only ${fitting} of ${all} values fitted`)
})
