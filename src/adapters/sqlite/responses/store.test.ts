import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import type { ResponseStore, ResponseStoreOptions } from './store.ts'
import { openResponseStore } from './store.ts'
import type { Looked } from './work.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'wm-responses-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function store(
  t: TestContext,
  path: string,
  more: Partial<ResponseStoreOptions> = {},
): ResponseStore & { said: string[] } {
  const said: string[] = []
  const usual = {
    path,
    retentionMs: 1000,
    bytesPerTenant: 1e6,
    now_ms: () => 5000,
    warn: (why: string) => said.push(why),
  }
  const opened = openResponseStore({ ...usual, ...more })
  t.after(() => opened.close())
  return { ...opened, said }
}

const put = (to: ResponseStore, id: string, more: object = {}): Promise<boolean> =>
  new Promise((told) =>
    to.put({ tenant: 'acme', id, created_ms: 4500, previous: undefined, body: `body of ${id}`, ...more }, told),
  )
const read = (from: ResponseStore, id: string): Promise<Looked | undefined> =>
  new Promise((told) => from.read({ tenant: 'acme', previous: undefined, ids: [id], most: 1e6 }, told))

test('what one gateway keeps another finds, and deletes for both', async (t) => {
  const path = join(folder(t), 'responses.db')
  const [one, other] = [store(t, path), store(t, path)]
  const both = await Promise.all(Array.from({ length: 200 }, (_, n) => put(n % 2 === 0 ? one : other, `r${n}`)))
  assert(both.every((kept) => kept))
  assert.deepEqual(await read(other, 'r0'), { found: 'all', turns: [], referred: ['body of r0'] })
  assert.deepEqual(await read(one, 'r199'), { found: 'all', turns: [], referred: ['body of r199'] })
  const removed = await new Promise((told) => other.remove({ tenant: 'acme', id: 'r0' }, told))
  assert.equal(removed, true)
  assert.deepEqual(await read(one, 'r0'), { found: 'missing', id: 'r0' })
})

test('days pass: what is older than its retention is missing; a retention of 0 keeps nothing', async (t) => {
  const path = join(folder(t), 'responses.db')
  let now = 5000
  const kept = store(t, path, { now_ms: () => now })
  assert.equal(await put(kept, 'a'), true)
  now = 5499
  assert.equal((await read(kept, 'a'))?.found, 'all')
  now = 5500
  assert.equal((await read(kept, 'a'))?.found, 'missing')
  assert.equal(await put(store(t, path, { retentionMs: 0 }), 'b'), false)
})

test('a disk that cannot be written says no, once it can be the store works again', async (t) => {
  const path = join(folder(t), 'not-yet', 'responses.db')
  const kept = store(t, path)
  assert.equal(await put(kept, 'a'), false)
  assert.equal(await read(kept, 'a'), undefined)
  assert(kept.said.length > 0)
  mkdirSync(join(path, '..'))
  assert.equal(await put(kept, 'a'), true)
})

test('what was said to be kept is there after kill -9', async (t) => {
  const home = folder(t)
  const path = join(home, 'responses.db')
  const program = `
    import { openResponseStore } from ${JSON.stringify(new URL('store.ts', import.meta.url).href)}
    const path = ${JSON.stringify(path)}
    const store = openResponseStore({ path, retentionMs: 1000, bytesPerTenant: 1e9, now_ms: () => 5000, warn() {} })
    let n = 0
    const next = () => {
      const id = 'r' + n++
      store.put({ tenant: 'acme', id, created_ms: 4500, previous: undefined, body: 'body of ' + id }, (kept) => {
        if (kept) process.stdout.write(id + '\\n')
        next()
      })
    }
    for (let at = 0; at < 8; at++) next()`
  writeFileSync(join(home, 'writer.mjs'), program)
  const child = spawn(process.execPath, [join(home, 'writer.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  for await (const part of child.stdout) {
    said += part
    if (said.split('\n').length > 100) child.kill('SIGKILL')
  }
  const told = said.split('\n').slice(0, -1)
  assert(told.length >= 100)
  const after = store(t, path)
  for (const id of told) assert.equal((await read(after, id))?.found, 'all', id)
})
