import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { linesOf } from './lines.ts'
import { ResultLog } from './result-log.ts'

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wm-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'log.jsonl')
}

test('what was synced is there when it is opened again; what was torn off is cut off, and nothing is doubled', async (t) => {
  const path = file(t)
  const first = await ResultLog.open(path, 1000, () => assert.fail('it is new'))
  first.append('{"a":1}')
  first.append('{"a":2}')
  await first.sync()
  first.append('{"a":3}')
  await first.close()
  appendFileSync(path, '{"a":4')

  const seen: string[] = []
  const again = await ResultLog.open(path, 1000, (line) => seen.push(line.toString()))
  assert.deepEqual(seen, ['{"a":1}', '{"a":2}'])
  again.append('{"a":5}')
  await again.sync()
  await again.sync()
  assert.equal(readFileSync(path, 'utf8'), '{"a":1}\n{"a":2}\n{"a":5}\n')
  assert.equal(again.bytes, 24)
  await again.close()
})

test('a file that cannot be written loses nothing: it is written when it can be', async (t) => {
  const path = file(t)
  const log = await ResultLog.open(path, 1000, () => undefined)
  await log.close()
  log.append('{"a":1}')
  await assert.rejects(log.sync())
  await assert.rejects(log.sync(), 'it is tried again, not forgotten')
})

test('lines come one by one with their numbers, over any ends of reads; one that is too long has no bytes', async (t) => {
  const path = file(t)
  const long = 'x'.repeat(200_000)
  writeFileSync(path, `one\r\n\n  \n${long}\n${'y'.repeat(100)}\nlast`)
  const found = []
  for await (const { number, bytes, whole } of linesOf(path, 1000)) found.push([number, bytes?.length, whole])
  assert.deepEqual(found, [
    [1, 4, true],
    [4, undefined, true],
    [5, 100, true],
    [6, 4, false],
  ])
  const all = []
  for await (const { bytes } of linesOf(path, 1_000_000)) all.push(bytes?.length)
  assert.deepEqual(all, [4, 200_000, 100, 4])
})
