import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { test } from 'node:test'
import { sources, top } from './source.ts'

const all = sources()
const written = all.filter((one) => !one.test)

test('no drawer for everything: utils, common, helpers, types', () => {
  const drawers = all.filter((one) =>
    /(^|\/)(utils?|common|helpers?|misc|shared)(\/|\.ts$)|(^|\/)types\.ts$/.test(one.path),
  )
  assert(all.length > 0)
  assert.deepEqual(
    drawers.map((one) => one.path),
    [],
  )
})

test('no barrels: nothing is exported from elsewhere', () => {
  const barrels = written.filter((one) => /^export\s+(type\s+)?(\*|\{[^}]*\})\s*(as\s+\w+\s+)?from\b/m.test(one.code))
  assert.deepEqual(
    barrels.map((one) => one.path),
    [],
  )
})

test('relative imports say .ts', () => {
  const bare = all.flatMap((one) =>
    one.imports
      .filter((to) => to.relative && !/\.(ts|js|mjs|json|wasm)$/.test(to.target))
      .map((to) => `${one.path} -> ${to.target}`),
  )
  assert.deepEqual(bare, [])
})

/** A file has one idea; what is longer than this has two. */
const longest = 400

test('files have a size that can be read', () => {
  const lines = (text: string): number => text.split('\n').length - 1
  const sizes = written.map((one) => ({ path: one.path, lines: lines(one.text) })).sort((a, b) => a.lines - b.lines)
  assert(sizes.length > 40)
  const at = (share: number): number => sizes[Math.floor(share * (sizes.length - 1))]?.lines ?? 0
  console.log(`files ${sizes.length}, median ${at(0.5)} lines, p90 ${at(0.9)}`)
  for (const one of sizes.slice(-5)) console.log(`  ${one.lines} ${one.path}`)
  assert.deepEqual(
    sizes.filter((one) => one.lines > longest),
    [],
  )
})

test('at least a quarter of the exports of the pure rooms says in words what it is', () => {
  const rooms = written.filter((one) => /^(units|plant|books|lines|control|twin)\//.test(one.path))
  let [documented, exported] = [0, 0]
  for (const { text } of rooms) {
    const found = text.matchAll(/(\*\/\n)?^export (?:abstract )?(?:function|class|interface|const|type)\b/gm)
    for (const [, doc] of found) {
      exported++
      if (doc) documented++
    }
  }
  console.log(`exports of the pure rooms: ${documented} of ${exported} have a doc block`)
  assert(exported > 50, `only ${exported} exports seen`)
  assert(documented / exported >= 0.25)
})

const skipped = new Set(['node_modules', '.venv', 'dist', '.git', '.wattmill', 'package-lock.json'])
const readable = /\.(ts|mjs|js|json|md|sql|ya?ml|html|css|svelte|toml|sh)$|(^|\/)(run|\.npmrc|\.gitignore|LICENSE)$/

/** Whom this machine would give away. Folders that every machine has are no one's. */
function marksOfThisMachine(): RegExp[] {
  const everybody = new Set(['/', '/tmp', '/var/tmp', '/usr/src', '/opt', '/srv', '/home', '/Users'])
  const folders = [top, dirname(top), homedir()].filter((one) => !everybody.has(one))
  const escaped = folders.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const name = hostname().length > 5 && hostname() !== 'localhost' ? [new RegExp(`\\b${hostname()}\\b`)] : []
  const homes = /(?<![\w.])\/(home|Users)\/(?!\.\.\.|you\b|node\b|USER\b|NAME\b)[a-z][\w-]*\//
  return [...escaped.map((one) => new RegExp(`(?<![\\w.~/-])${one}/`)), ...name, homes]
}

test('no path or name of one machine stands in the repository', () => {
  const marks = marksOfThisMachine()
  const files = globSync('{*,.ci/*,*/**}', { cwd: top, exclude: (path) => skipped.has(basename(path)) }).filter(
    (file) => readable.test(file.split(sep).join('/')) && statSync(join(top, file)).isFile(),
  )
  assert(files.length > all.length, `only ${files.length} files seen`)
  const found = files.flatMap((file) =>
    readFileSync(join(top, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        marks.some((mark) => mark.test(line)) ? [`${file}:${index + 1} ${line.trim().slice(0, 120)}`] : [],
      ),
  )
  assert.deepEqual(found, [])
})
