import assert from 'node:assert/strict'
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { holdAlive } from '../files/alive.ts'
import type { Home } from '../files/home.ts'
import { alivePath } from './journal-file.ts'
import { openStore } from './store.ts'
import { takeEngineLogs, tidyEngineLogs } from './take-engine-logs.ts'
import { testHome } from './testing.ts'

const line = `${JSON.stringify({ log: 'close', at_ms: 1 })}\n`
const size = line.length * 10

/** Files of ten lines, written one second after the other from second 1 on. */
function writeLog(home: Home, incarnation: string, files: number): void {
  for (let number = 0; number < files; number++) {
    const path = join(home.engineLogs, `${incarnation}.${String(number).padStart(4, '0')}.ndjson`)
    writeFileSync(path, line.repeat(10))
    utimesSync(path, number + 1, number + 1)
  }
}

const logs = (home: Home): string[] => readdirSync(home.engineLogs).filter((name) => name.endsWith('.ndjson'))

const ages = (seconds: number) => ({ since_ms: seconds * 1000, most_bytes: Number.POSITIVE_INFINITY })

test('a log file goes when it is old and in the books, never the one that is written, never one that is not read', () => {
  using home = testHome()
  const store = openStore(home)
  const held = holdAlive(alivePath(home.engineLogs, 'lives'))
  writeLog(home, 'lives', 4)
  tidyEngineLogs(store, home.engineLogs, ages(1e6))
  assert.equal(logs(home).length, 4, 'nothing is read yet')
  while (takeEngineLogs(store, home.engineLogs, () => 1e6));
  tidyEngineLogs(store, home.engineLogs, ages(3))
  assert.deepEqual(logs(home), ['lives.0002.ndjson', 'lives.0003.ndjson'])
  tidyEngineLogs(store, home.engineLogs, ages(1e6))
  assert.deepEqual(logs(home), ['lives.0003.ndjson'])
  held?.release()
  store.close()
})

test('too many bytes push out the oldest, whosever they are; a dead engine goes with its lock', () => {
  using home = testHome()
  const store = openStore(home)
  holdAlive(alivePath(home.engineLogs, 'dead'))?.release()
  const held = holdAlive(alivePath(home.engineLogs, 'lives'))
  writeLog(home, 'dead', 2)
  writeLog(home, 'lives', 4)
  while (takeEngineLogs(store, home.engineLogs, () => 1e6));
  tidyEngineLogs(store, home.engineLogs, { since_ms: 0, most_bytes: 4 * size })
  assert.deepEqual(logs(home), ['dead.0001.ndjson', 'lives.0001.ndjson', 'lives.0002.ndjson', 'lives.0003.ndjson'])
  tidyEngineLogs(store, home.engineLogs, { since_ms: 0, most_bytes: 0 })
  assert.deepEqual(logs(home), ['lives.0003.ndjson'])
  assert.equal(existsSync(alivePath(home.engineLogs, 'dead')), false)
  assert.equal(existsSync(alivePath(home.engineLogs, 'lives')), true)
  held?.release()
  store.close()
})
