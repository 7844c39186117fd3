import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Source } from './source.ts'
import { folderOf, sources } from './source.ts'

/** The factory from bottom to top: a file imports its own folder or a lower one. */
const order = [
  'units',
  'plant/energy',
  'plant/chips',
  'plant/infrastructure',
  'plant/models',
  'books',
  'lines/inference',
  'lines/models',
  'lines/decisions',
  'control',
  'twin',
  'adapters',
  'apps',
  'tidy',
]

/** Stages by line: each is a decision of its own, joined only by `line.ts` and the policy beside it. */
const stages: Readonly<Record<string, readonly string[]>> = {
  'lines/inference': ['admit', 'route', 'generate', 'meter', 'post'],
  'lines/models': ['capture', 'curate', 'train', 'evaluate', 'promote'],
  'lines/decisions': ['frame', 'decide', 'guard', 'act', 'learn'],
}

const all = sources()
const room = (path: string): string | undefined => order.find((folder) => path.startsWith(`${folder}/`))
const rank = (path: string): number => order.indexOf(room(path) ?? '')
const inside = (source: Source): Source['imports'] => source.imports.filter((one) => one.relative)

test('every file stands in a room of the order', () => {
  assert(all.length > 0, 'a check that saw nothing proves nothing')
  const homeless = all.filter((one) => !room(one.path)).map((one) => one.path)
  assert.deepEqual(homeless, [])
})

test('imports point to the own folder or a lower one', () => {
  const edges = all.flatMap((source) => inside(source).map((one) => [source.path, one.target] as const))
  assert(edges.length > 50, `only ${edges.length} imports seen`)
  const upward = edges.filter(([from, to]) => rank(to) > rank(from) || rank(to) < 0)
  assert.deepEqual(
    upward.map(([from, to]) => `${from} -> ${to}`),
    [],
  )
})

test('every import names a file that exists', () => {
  const files = new Set(all.map((one) => one.path))
  const missing = all.flatMap((source) =>
    inside(source)
      .filter((one) => one.target.endsWith('.ts') && !files.has(one.target))
      .map((one) => `${source.path} -> ${one.target}`),
  )
  assert.deepEqual(missing, [])
})

test('the twin never imports an adapter, not even in its tests', () => {
  const reaching = all.filter(
    (one) => one.path.startsWith('twin/') && inside(one).some((to) => to.target.startsWith('adapters/')),
  )
  assert.deepEqual(reaching, [])
})

test('stages of a line hand each other data, and call neither each other nor the line', () => {
  let seen = 0
  const crossing = Object.entries(stages).flatMap(([line, names]) =>
    names.flatMap((name) => {
      const stage = all.find((one) => one.path === `${line}/${name}.ts`)
      if (!stage) return []
      seen++
      const others = [...names.filter((other) => other !== name), 'line'].map((other) => `${line}/${other}.ts`)
      return inside(stage)
        .filter((one) => one.values.length > 0 && others.includes(one.target))
        .map((one) => `${stage.path} -> ${one.target}`)
    }),
  )
  assert(seen >= 3, `only ${seen} stages seen`)
  assert.deepEqual(crossing, [])
})

test('no import cycle between files', () => {
  // A type is gone at run time. Among the apps, which join everything, only what runs can make a cycle; below them a
  // type that points back is a muddle too.
  const counts = (source: Source, one: Source['imports'][number]): boolean =>
    !source.path.startsWith('apps/') || one.values.length > 0
  const graph = new Map(
    all.map((source) => [source.path, inside(source).flatMap((one) => (counts(source, one) ? one.target : []))]),
  )
  assert(graph.size > 0)
  assert.deepEqual(cycles(graph), [])
})

test('no import cycle between folders that have the same rank', () => {
  for (const roof of ['adapters', 'apps', 'control']) {
    const graph = new Map<string, string[]>()
    for (const source of all.filter((one) => one.path.startsWith(`${roof}/`) && !one.test)) {
      const from = part(source.path)
      const to = inside(source).map((one) => part(one.target))
      const others = to.filter((folder) => folder !== from && folder.startsWith(`${roof}/`))
      graph.set(from, [...(graph.get(from) ?? []), ...others])
    }
    assert.deepEqual(cycles(graph), [], roof)
  }
})

/** `adapters/llama` of `adapters/llama/log.ts`; folders inside an adapter are one with it. */
const part = (path: string): string => folderOf(path).split('/').slice(0, 2).join('/')

test('a cycle is found where there is one', () => {
  assert.deepEqual(
    cycles(
      new Map([
        ['a', ['b', 'd']],
        ['b', ['c']],
        ['c', ['a']],
        ['d', []],
      ]),
    ),
    ['a -> b -> c -> a'],
  )
})

/** Depth-first: a node met again on the path that led to it closes a cycle. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node)
    if (at >= 0) {
      found.push([...path.slice(at), node].join(' -> '))
      return
    }
    if (done.has(node)) return
    for (const next of graph.get(node) ?? []) visit(next, [...path, node])
    done.add(node)
  }
  for (const node of graph.keys()) visit(node, [])
  return found
}
