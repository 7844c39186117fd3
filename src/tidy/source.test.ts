import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceOf, sources } from './source.ts'

test('comments, strings, templates and regular expressions do not hide or make code', () => {
  const text = [
    'const z = "import { z } from \'./z.ts\'"',
    "const a = 'await // no' // await",
    'const b = `await $'.concat('{fetch(`x$', '{ { a: 1 }.a }`)} await` + 1 / 2 / c()'),
    "const d = /['/]await/.test(x) /* await\n await */",
    'e("\\"await")',
  ].join('\n')
  const { bare, code, imports } = sourceOf('x.ts', text)
  assert.deepEqual(imports, [])
  assert(!bare.includes('await'), bare)
  for (const kept of ['fetch(', 'const b', '/ 2 / c()', 'const d', 'e(', '.test(x)']) assert(bare.includes(kept), kept)
  assert(code.includes("'await // no'") && !code.includes('// await\n'))
  assert.equal(bare.split('\n').length, text.split('\n').length, 'lines keep their numbers')
})

test('imports of every form are seen, with the names that exist at run time', () => {
  const text = [
    "import { a, type B, c as d } from './one.ts'",
    "import type { T } from '../two.ts'",
    "import e, * as f from 'three'",
    "export { g } from './four.ts'",
    "import './five.ts'",
    "const h = await import('./six.ts')",
    "// import { no } from './seven.ts'",
    "import {\n  i,\n  type J,\n} from './eight.ts'",
  ].join('\n')
  assert.deepEqual(
    sourceOf('books/x.ts', text).imports.map(({ target, values }) => [target, ...values]),
    [
      ['books/one.ts', 'a', 'c'],
      ['two.ts'],
      ['three', 'default'],
      ['books/four.ts', 'g'],
      ['books/eight.ts', 'i'],
      ['books/five.ts', '*'],
      ['books/six.ts', '*'],
    ],
  )
})

test('the source is seen whole', () => {
  const all = sources()
  assert(all.length > 40, `only ${all.length} files`)
  for (const known of ['units/amount.ts', 'books/post.ts', 'lines/inference/line.ts'])
    assert(
      all.some((one) => one.path === known),
      known,
    )
})
