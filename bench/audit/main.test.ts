import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Records } from './records.ts'
import { syntheticRecords } from './synthetic.ts'

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row, decimal)}\n`).join('')
const decimal = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Puts records where a factory would leave them. */
function write(home: string, { clients, engine, meter, books }: Records): void {
  for (const folder of ['engine', 'meter']) mkdirSync(join(home, folder))
  for (const file of engine) writeFileSync(join(home, 'engine', file.name), `${lines(file.lines)}{"log":"ste`)
  writeFileSync(join(home, 'meter', 'all.ndjson'), lines(meter))
  writeFileSync(join(home, 'clients.ndjson'), lines(clients))
  const exported = [
    ...books.requests.map((row) => ({ record: 'request', id: row.id, body: JSON.stringify(row) })),
    ...books.transfers.map((row) => ({ record: 'transfer', ...row })),
    ...books.intervals.map(({ posted, ...row }) => ({ record: 'interval', ...row, posted_ms: posted ? 1 : null })),
    ...books.attempts.map(({ id, count }) => ({ record: 'attempt', id, ...count })),
    ...books.prices.map(({ version, perMillion }) => ({ record: 'price', version, ...perMillion })),
    ...books.balances.map((row) => ({ record: 'balance', ...row, day: 1 })),
    { record: 'second', second: 1, attempt: 'x/1', tokens: 1 },
    ...books.journals.map((incarnation) => ({ record: 'journal', incarnation })),
  ]
  writeFileSync(join(home, 'export.ndjson'), lines(exported))
}

function run(records: Records): { status: number | null; stdout: string; stderr: string } {
  const home = mkdtempSync(join(tmpdir(), 'wattmill-audit-'))
  try {
    write(home, records)
    const files = ['--home', home, '--clients', join(home, 'clients.ndjson'), '--export', join(home, 'export.ndjson')]
    const args = [join(import.meta.dirname, 'main.ts'), ...files, '--closed', '--plant-faults', '--json']
    return spawnSync(process.execPath, args, { encoding: 'utf8' })
  } finally {
    rmSync(home, { recursive: true })
  }
}

test('the command: 0 and every planted fault found when all agrees, 1 and the finding when not', () => {
  const records = syntheticRecords(11, 40)
  const good = run(records)
  assert.equal(good.status, 0, good.stderr + good.stdout)
  const { findings, planted } = JSON.parse(good.stdout) as { findings: object[]; planted: { result: string }[] }
  assert.deepEqual(findings, [])
  assert(planted.length >= 9 && planted.every((one) => one.result === 'found'), JSON.stringify(planted))

  const [first, ...others] = records.books.transfers
  assert(first)
  const bad = run({ ...records, books: { ...records.books, transfers: others } })
  assert.equal(bad.status, 1)
  assert((JSON.parse(bad.stdout) as { findings: object[] }).findings.length > 0)
})
