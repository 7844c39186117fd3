import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Source } from './source.ts'
import { sourceOf, sources } from './source.ts'

const written = sources().filter((one) => !one.test)
const byPath = new Map(written.map((one) => [one.path, one]))

/** Rooms whose decisions run live and in the twin. */
const policyRooms = ['books/', 'lines/inference/', 'control/']
const inRooms = (path: string, rooms: readonly string[]): boolean => rooms.some((room) => path.startsWith(room))

/** Functions and classes that a file declares at its top: what it decides has one of these names. */
const declared = ({ code }: Source): string[] => [
  ...[...code.matchAll(/^(?:export )?(?:abstract )?(?:function\*?|class) (\w+)/gm)].map(([, name = '']) => name),
  ...[...code.matchAll(/^(?:export )?const (\w+)(?::[^=\n]+)? =\s*(?:<[^>]+>)?\(/gm)].map(([, name = '']) => name),
]
const exported = ({ code }: Source): string[] =>
  [...code.matchAll(/^export (?:abstract )?(?:function\*?|class|const) (\w+)/gm)].map(([, name = '']) => name)

/** Names that a policy room exports and another pure file declares too. */
function twiceIn(files: readonly Source[]): string[] {
  const policies = files.filter((one) => inRooms(one.path, policyRooms))
  const names = new Map(policies.flatMap((one) => exported(one).map((name) => [name, one.path] as const)))
  assert(names.size > 60, `only ${names.size} names seen`)
  return files
    .filter((one) => inRooms(one.path, [...policyRooms, 'twin/']))
    .flatMap((one) =>
      declared(one)
        .filter((name) => names.has(name) && names.get(name) !== one.path)
        .map((name) => `${name}: ${names.get(name)} and ${one.path}`),
    )
}

test('no decision exists twice: what a policy room exports, no other pure room declares', () => {
  assert.deepEqual(twiceIn(written), [])
  const planted = sourceOf('twin/x.ts', 'export function ship() {}\nconst settleOrphan = (a) => a')
  assert.deepEqual(twiceIn([...written, planted]), [
    'ship: books/ship.ts and twin/x.ts',
    'settleOrphan: books/orphan.ts and twin/x.ts',
  ])
})

/** All files that a room reaches by its imports. */
function reach(rooms: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { target, relative } of byPath.get(path)?.imports ?? []) if (relative) visit(target)
  }
  for (const { path } of written) if (inRooms(path, rooms)) visit(path)
  return seen
}

/** What must be one and the same live and on simulated time. */
const shared = [
  'lines/inference/line.ts',
  'lines/inference/policy.ts',
  'lines/inference/admit.ts',
  'lines/inference/route.ts',
  'lines/inference/meter.ts',
  'lines/inference/upstream.ts',
  'books/post.ts',
  'books/ship.ts',
  'books/orphan.ts',
  'books/settle.ts',
  'books/energy.ts',
  'books/work.ts',
  'plant/energy/meter.ts',
]

test('the twin runs the live code: both reach the same files, and the twin no adapter', () => {
  const [twin, live] = [reach(['twin/']), reach(['apps/gateway/', 'apps/operator/'])]
  assert.deepEqual(
    shared.filter((path) => !twin.has(path) || !live.has(path)),
    [],
  )
  assert.deepEqual(
    [...twin].filter((path) => inRooms(path, ['adapters/', 'apps/'])),
    [],
  )
})
