import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type Type from 'typebox'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { examineConfig } from './config.ts'
import { configSchema } from './schema.ts'
import { settings } from './settings.ts'

const schema = Compile(configSchema() as Type.TSchema)

const files: readonly (readonly [text: string, right: boolean])[] = [
  ['{}', true],
  ['port: 0', true],
  ['port: 70000', false],
  ['port: "80"', false],
  ['gateways: 2.5', false],
  ['limits: { queue_seconds: 0.5 }', true],
  ['limits: { queue_second: 1 }', false],
  ['limits: 5', false],
  ['prot: 1', false],
  ['host: ""', false],
  ['trusted_proxies: [10.0.0.0/8]', true],
  ['trusted_proxies: 10.0.0.0/8', false],
  ['power: { idle_watts: -1 }', false],
  ['costs: []', true],
  ['costs: [{ kind: staff, name: ops, per_month: 9000.5 }, { kind: tariff, value: "0.08" }]', true],
  ['costs: [{ kind: tariff, value: 0.08, rules: [{ hours: [22, 6], value: 0.04 }] }]', true],
  ['costs: [{ kind: stuff }]', false],
  ['costs: [{ kind: staff, per_hours: 5 }]', false],
  ['costs: [{ kind: staff, per_hour: 5, from: 2027-01-31 }]', false],
  ['costs: 5', false],
]
for (const [text, right] of files)
  test(`the schema and up agree that ${text} is ${right ? 'right' : 'wrong'}`, () => {
    assert.equal(schema.Check(parse(text)), right, 'schema')
    assert.equal(examineConfig(text, 'f').problems.length === 0, right, 'up')
  })

test('every setting is in the schema with its reason', () => {
  const text = JSON.stringify(configSchema())
  const paths = Object.entries(settings)
  assert(paths.length > 15, 'a check that saw nothing proves nothing')
  for (const [path, { why }] of paths) {
    assert(text.includes(JSON.stringify(path.split('.').at(-1))), path)
    assert(text.includes(JSON.stringify(why).slice(1, -1)), path)
  }
})

test('the example is right, and its first line leads an editor to the schema', () => {
  const root = join(import.meta.dirname, '..', '..', '..')
  const text = readFileSync(join(root, 'examples', 'wattmill.yaml'), 'utf8')
  assert.deepEqual(examineConfig(text, 'f').problems, [])
  const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
  assert.deepEqual(JSON.parse(readFileSync(join(root, 'examples', path), 'utf8')), configSchema())
})

test('all mistakes of a file are told at once, each with its place', () => {
  const { problems } = examineConfig('prot: 1\nlimits:\n  body_byts: 5\n  queue_length: -1\n', 'w.yaml')
  assert.deepEqual(
    problems.map(({ line, column, path }) => [line, column, path]),
    [
      [1, 1, 'prot'],
      [3, 3, 'limits.body_byts'],
      [4, 17, 'limits.queue_length'],
    ],
  )
  assert.match(problems[1]?.message ?? '', /did you mean body_bytes\?/)
})
