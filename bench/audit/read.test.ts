import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exported } from '../../src/adapters/sqlite/export.ts'
import { ndjson, parseExport, readEngineLogs, readMeters } from './read.ts'

test('a torn last line is no line; a torn line in the middle is an error', () => {
  assert.deepEqual(ndjson('{"a":1}\n{"b":', 'x'), [{ a: 1 }])
  assert.throws(() => ndjson('{"a":\n{"b":1}\n', 'x'), /x:1/)
})

test('an export: amounts keep every digit, unknown records are refused', () => {
  const transfer = { record: 'transfer', id: 't', unit: 'token', debit: 'a', credit: 'b', amount: '90071992547409931' }
  const interval = { record: 'interval', meter: 'cpu', sequence: 4, energy_mj: '12', posted_ms: 5 }
  const books = parseExport(`${JSON.stringify(transfer)}\n${JSON.stringify(interval)}\n`)
  assert.deepEqual(books.transfers[0]?.amount, 90_071_992_547_409_931n)
  assert.equal(books.transfers[0]?.request, null)
  assert.deepEqual(books.intervals, [{ meter: 'cpu', sequence: 4, energy_mj: 12n, posted: true }])
  assert.throws(() => parseExport('{"record":"wish"}\n'), /another kind/)
  assert.throws(() => parseExport(`${JSON.stringify({ ...transfer, amount: 1.5 })}\n`), /no whole number/)
})

test('every kind of record that the books export is known here', () => {
  assert(exported.length > 20)
  for (const record of exported) {
    try {
      parseExport(`${JSON.stringify({ record })}\n`)
    } catch (cause) {
      assert.doesNotMatch(String(cause), /another kind/)
    }
  }
})

test('the raw records of a home', () => {
  const home = mkdtempSync(join(tmpdir(), 'wattmill-audit-'))
  try {
    for (const name of ['engine', 'meter']) mkdirSync(join(home, name))
    writeFileSync(join(home, 'engine', 'e.0000.ndjson'), '{"log":"host","incarnation":"e"}\n{"log":"clo')
    writeFileSync(join(home, 'engine', 'e.alive'), 'not a log')
    writeFileSync(join(home, 'meter', 'cpu.ndjson'), '{"meter":"cpu","sequence":1}\n')
    assert.deepEqual(readEngineLogs(home), [{ name: 'e.0000.ndjson', lines: [{ log: 'host', incarnation: 'e' }] }])
    assert.equal(readMeters(home).length, 1)
  } finally {
    rmSync(home, { recursive: true })
  }
})
