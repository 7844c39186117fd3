import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Source } from './source.ts'
import { sourceOf, sources } from './source.ts'

/** Rooms without IO, clock, chance and waiting: same inputs, same outputs, on Node and in a browser. */
const pureRooms = ['units/', 'plant/', 'books/', 'lines/', 'control/', 'twin/']
const all = sources()
const pure = all.filter((one) => !one.test && pureRooms.some((room) => one.path.startsWith(room)))

const forbidden: readonly (readonly [string, RegExp])[] = [
  ['a clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bhrtime\b/],
  ['chance', /\bMath\.random\b|\bcrypto\b|\brandomBytes\b|\brandomUUID\b/],
  ['the environment', /\bprocess\b\s*\.|\bglobalThis\b/],
  ['waiting', /\basync\b|\bawait\b|\bPromise\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bqueueMicrotask\b/],
  ['IO', /\bfetch\(|\bconsole\s*\.|\bWebSocket\b|\bWorker\b/],
  ['what only Node has', /\bBuffer\b\s*[.(]|\brequire\(/],
]

/** Line and rule of everything that a file may not do. */
const breaches = (source: Source): string[] =>
  source.bare
    .split('\n')
    .flatMap((line, index) =>
      forbidden
        .filter(([, pattern]) => pattern.test(line))
        .map(([what]) => `${source.path}:${index + 1} uses ${what}: ${line.trim()}`),
    )

test('below the adapters there is no clock, chance, environment, waiting or IO', () => {
  assert(pure.length > 15, `only ${pure.length} files seen`)
  assert.deepEqual(pure.flatMap(breaches), [])
})

test('what is dated is dated by one clock, that of the factory', () => {
  const dating = all.filter((one) => !one.test && /\bDate\.now\b/.test(one.bare)).map(({ path }) => path)
  assert.deepEqual(dating, ['adapters/clock/clock.ts'])
})

test('each rule finds its breach, in code and not in words', () => {
  const lines = ['Date.now()', 'Math.random()', 'process.env', 'await x', 'console.log(1)', 'Buffer.from(x)']
  const found = breaches(
    sourceOf('books/x.ts', `${lines.join('\n')}\n// await Date.now()\nconst a = 'await process.env'`),
  )
  assert.deepEqual(
    found.map((one) => one.split(' ')[0]),
    lines.map((_, index) => `books/x.ts:${index + 1}`),
  )
})

test('below the adapters nothing but our own files is imported', () => {
  const foreign = pure.flatMap((one) =>
    one.imports.filter((to) => !to.relative).map((to) => `${one.path} -> ${to.target}`),
  )
  assert.deepEqual(foreign, [])
})

/** Who may open a connection, and why. Everything else goes through `dial`. */
const diallers: Readonly<Record<string, string>> = {
  'adapters/http/dial.ts': 'the one way out over the network: it checks the resolved address',
  'adapters/llama/client.ts': "unix socket of the factory's own engine host",
  'apps/operator/server.ts': 'asks its own unix socket whether another operator lives there already',
  'adapters/llama/host.ts': 'asks its own unix socket whether another host lives there already',
}

/** What opens connections, by module; other names of these modules (servers, types, isIP) do not. */
const opening: Readonly<Record<string, RegExp>> = {
  'node:net': /^(connect|createConnection|Socket|\*|default)$/,
  'node:tls': /^(connect|createConnection|TLSSocket|\*|default)$/,
  'node:http': /^(request|get|Agent|\*|default)$/,
  'node:https': /^(request|get|Agent|\*|default)$/,
  'node:http2': /./,
  'node:dgram': /./,
  undici: /^(?!errors$)/,
}

const dials = (source: Source): boolean =>
  /(?<![.\w])fetch\(|\bglobalThis\.fetch\b|\bnew (WebSocket|EventSource)\(/.test(source.bare) ||
  source.imports.some(({ target, values }) => values.some((name) => opening[target]?.test(name)))

test('sockets are opened in the listed files only, and the list has no dead names', () => {
  const dialling = all.filter((one) => !one.test && dials(one)).map((one) => one.path)
  assert(dialling.length > 0, 'a check that saw nothing proves nothing')
  assert.deepEqual(dialling.toSorted(), Object.keys(diallers).toSorted())
})
