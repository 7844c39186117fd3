import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { csvReading, readingOf } from './csv-file.ts'

const now_ms = Date.parse('2027-01-31T13:00:00Z')
const kwh = { time: 'at', value: 'main', unit: 'kwh' } as const

test('the newest whole line counts, while the file grows, is cut short or is replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-csv-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'hall.csv')
  const read = () => csvReading(path, kwh, now_ms)
  await assert.rejects(read(), /cannot be read \(ENOENT\)/)
  writeFileSync(path, 'at,other,main\n')
  await assert.rejects(read(), /no whole line below its head yet/)
  appendFileSync(path, '2027-01-31T12:59:00Z,1,10.5\n2027-01-31T12:59:30+00:00,1,1')
  assert.deepEqual(await read(), { at_ms: now_ms - 60_000, energy_mj: 37_800_000_000 })
  appendFileSync(path, '0.6\r\n')
  assert.deepEqual(await read(), { at_ms: now_ms - 30_000, energy_mj: 38_160_000_000 })
  appendFileSync(path, `${'2027-01-31T12:59:40Z,1,10.7\n'.repeat(5000)}`)
  assert.deepEqual(await read(), { at_ms: now_ms - 20_000, energy_mj: 38_520_000_000 })
  writeFileSync(join(folder, 'new'), `main,at\n0.25,${now_ms / 1000}\n`)
  renameSync(join(folder, 'new'), path)
  assert.deepEqual(await read(), { at_ms: now_ms, energy_mj: 900_000_000 })
  await assert.rejects(csvReading(folder, kwh, now_ms), /is no plain file|EISDIR/)
})

const lines: readonly (readonly [string, string, object | RegExp])[] = [
  ['at,main', '1801400399.5,2', { at_ms: now_ms - 500, energy_mj: 7_200_000_000 }],
  ['"at", "main"', '"1801400400000","2e1"', { at_ms: now_ms, energy_mj: 72_000_000_000 }],
  ['at,other', '1801400400,2', /no column main/],
  ['time,main', '1801400400,2', /no column at/],
  ['at,main', '2027-01-31T13:00:00,2', /no moment/],
  ['at,main', '2027-01-31T13:02:00Z,2', /in the future/],
  ['at,main', '2027-01-31T11:00:00Z,2', /nothing was added since/],
  ['at,main', '1801400400,-2', /no number/],
  ['at,main', '1801400400,[N/A]', /no number/],
  ['at,main', '1801400400', /no number/],
]
for (const [head, line, expected] of lines)
  test(`a meter's file: ${head} / ${line}`, () => {
    const read = () => readingOf(head, line, kwh, now_ms, 'f')
    if (expected instanceof RegExp) assert.throws(read, expected)
    else assert.deepEqual(read(), expected)
  })
