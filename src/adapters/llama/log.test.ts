import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEngineLog } from './log.ts'

const step = (n: number) => ({ log: 'step', at_ms: n, took_us: 1, made: [['r/1', 1]] }) as const

test('lines are in the file when write returns; files rotate, keep the incarnation, and begin with a host line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const log = openEngineLog(folder, 'abc', 400)
  for (let n = 0; n < 20; n++) {
    log.write([step(n), step(n)])
    const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
    assert.equal(lines.filter((line) => line.includes('"step"')).length, 2 * (n + 1))
  }
  log.close()

  const files = readdirSync(folder).sort()
  assert.ok(files.length > 3)
  assert.deepEqual(files.slice(0, 2), ['abc.0000.ndjson', 'abc.0001.ndjson'])
  for (const file of files) {
    const lines = readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(lines[0].log, 'host')
    assert.equal(lines[0].incarnation, 'abc')
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600)
    assert.equal(
      lines.some((line) => line.log === 'close'),
      file === files.at(-1),
    )
  }
})

test('after close nothing is lost silently: a new file is begun', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const log = openEngineLog(folder, 'abc')
  log.close()
  log.write([step(1)])
  assert.equal(readdirSync(folder).length, 2)
})

test('a folder that cannot be written is an error, not a silence', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => openEngineLog(join(folder, 'file'), 'abc'))
})
