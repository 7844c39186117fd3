import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { ResponseTable } from './table.ts'
import type { Keeping, Looking } from './work.ts'

function opened(t: TestContext): { table: ResponseTable; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'wm-responses-'))
  const path = join(folder, 'responses.db')
  const table = new ResponseTable(path)
  t.after(() => {
    table.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { table, path }
}

const keeping = (id: string, more: Partial<Keeping> = {}): Keeping => ({
  do: 'put',
  tenant: 'acme',
  id,
  created_ms: 1000,
  previous: undefined,
  body: `body of ${id}`,
  most: 1e6,
  ...more,
})
const looking = (more: Partial<Looking>): Looking => ({
  do: 'read',
  tenant: 'acme',
  previous: undefined,
  ids: [],
  oldest_ms: 0,
  most: 1e6,
  ...more,
})

test('a conversation is read back to its beginning, the oldest turn first', (t) => {
  const { table } = opened(t)
  for (const [id, previous] of [
    ['a', undefined],
    ['b', 'a'],
    ['c', 'b'],
    ['x', undefined],
  ] as const)
    table.put(keeping(id, { previous }))
  assert.deepEqual(table.read(looking({ previous: 'c', ids: ['x'] })), {
    found: 'all',
    turns: ['body of a', 'body of b', 'body of c'],
    referred: ['body of x'],
  })
  assert.deepEqual(table.read(looking({ previous: 'c', most: 1100 })), { found: 'large' }, 'two rows are 1042 bytes')
  assert(table.remove({ do: 'remove', tenant: 'acme', id: 'a', oldest_ms: 0 }))
  assert.deepEqual(table.read(looking({ previous: 'c' })), { found: 'missing', id: 'a' })
})

test("what a tenant keeps is its own: no other reads, goes on from, or deletes it, and none makes another's room", (t) => {
  const { table } = opened(t)
  table.put(keeping('a'))
  const stranger = { tenant: 'other' }
  assert.deepEqual(table.read(looking({ ...stranger, ids: ['a'] })), { found: 'missing', id: 'a' })
  assert.deepEqual(table.read(looking({ ...stranger, previous: 'a' })), { found: 'missing', id: 'a' })
  assert.equal(table.remove({ do: 'remove', ...stranger, id: 'a', oldest_ms: 0 }), false)
  for (let n = 0; n < 20; n++) table.put(keeping(`o${n}`, { ...stranger, created_ms: 2000 + n, most: 2000 }))
  assert.equal(table.read(looking({ ids: ['a'] })).found, 'all')
  assert.equal(table.held('acme'), 'body of a'.length + 512)
})

test('what a tenant holds never exceeds its bound, and is the sum of its rows: the oldest makes room', (t) => {
  const { table } = opened(t)
  let seed = 7
  const random = (most: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % most
  }
  const kept: string[] = []
  for (let n = 0; n < 300; n++) {
    const body = 'x'.repeat(random(4000))
    assert.equal(table.put(keeping(`r${n}`, { created_ms: n, body, most: 20_000 })), true)
    kept.push(`r${n}`)
    if (random(5) === 0) {
      const id = kept[random(kept.length)] ?? ''
      table.remove({ do: 'remove', tenant: 'acme', id, oldest_ms: -1 })
    }
    assert(table.held('acme') <= 20_000, `after ${n}: ${table.held('acme')}`)
  }
  const there = kept.filter((id) => table.read(looking({ ids: [id], oldest_ms: -1 })).found === 'all')
  assert(there.length > 3)
  assert.equal(there.at(-1), 'r299', 'the newest is there')
  for (const id of there) table.remove({ do: 'remove', tenant: 'acme', id, oldest_ms: -1 })
  assert.equal(table.held('acme'), 0)
  assert.equal(table.put(keeping('huge', { body: 'x'.repeat(20_000), most: 20_000 })), false)
})

test('what is too old is unseen at once; a purge takes it off the disk', (t) => {
  const { table, path } = opened(t)
  const secret = 'a sentence that must go'
  for (let n = 0; n < 1200; n++) table.put(keeping(`r${n}`, { created_ms: n, body: `${secret} ${n}` }))
  assert.deepEqual(table.read(looking({ ids: ['r600'], oldest_ms: 600 })), { found: 'missing', id: 'r600' })
  assert.equal(table.remove({ do: 'remove', tenant: 'acme', id: 'r600', oldest_ms: 600 }), false)
  assert.equal(table.read(looking({ ids: ['r601'], oldest_ms: 600 })).found, 'all')
  assert.equal(table.purge({ do: 'purge', oldest_ms: 1199 }), 1200)
  assert.equal(table.held('acme'), 0)
  table.close()
  assert(!readFileSync(path).includes(secret))
  const again = new ResponseTable(path)
  t.after(() => again.close())
  assert.equal(again.purge({ do: 'purge', oldest_ms: 1e9 }), 0)
})

test('a transaction that fails leaves nothing behind', (t) => {
  const { table } = opened(t)
  assert.throws(() =>
    table.transact(() => {
      table.put(keeping('a'))
      table.put(keeping('a'))
    }),
  )
  assert.equal(table.held('acme'), 0)
})
