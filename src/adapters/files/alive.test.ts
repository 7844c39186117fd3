import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { holdAlive, isDead } from './alive.ts'

test('held by one at a time; dead when it was let go or never held; what cannot be known is no answer', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-alive-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'one.alive')
  assert.equal(isDead(path), true)
  const held = holdAlive(path)
  assert.deepEqual([isDead(path), holdAlive(path)], [false, undefined])
  held?.release()
  assert.equal(isDead(path), true)

  writeFileSync(path, 'something else lies here: '.repeat(100))
  assert.throws(() => holdAlive(path), /not a database/)
})
