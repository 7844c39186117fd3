import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '../../..')

test('what the console asks to be allowed is a route of the operator, letter by letter', () => {
  const page = readFileSync(join(top, 'docs/api.md'), 'utf8')
  const routes = new Set(
    [...page.matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm)].map(([, method, path]) => `${method} ${path}`),
  )
  const files = globSync('console/src/**/*.svelte', { cwd: top })
  const texts = files.map((file) => ({ file, text: readFileSync(join(top, file), 'utf8') }))
  const asked = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/(?:may\(|call=\{?|call: )['"]([A-Z]+ [^'"]+)['"]/g)].map(([, call = '']) => ({ file, call })),
  )
  assert(asked.length > 15 && routes.size > 40, `${asked.length} asked of ${routes.size}`)
  assert.deepEqual(
    asked.filter(({ call }) => !routes.has(call)),
    [],
  )
  // Within double quotes Svelte puts the value of a variable in the place of {name}.
  const filled = texts.filter(({ text }) => /call="[^"]*\{/.test(text))
  assert.deepEqual(
    filled.map(({ file }) => file),
    [],
  )
})
