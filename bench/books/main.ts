/**
 * `npm run bench:books`: how fast the books are. Durable events a second, postings a second with everything that goes with them
 * (no row twice, balances, sums of pages and of statements, cursor: one transaction), and the statement of a tenant with a busy day.
 *
 *     npm run bench:books -- [--usage-rows 10000000] [--seconds 5] [--postgres postgres://…/EMPTY]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeHome } from '../../src/adapters/files/home.ts'
import { openStore } from '../../src/adapters/sqlite/store.ts'
import { durableEvents } from './events.ts'
import { bookOnPostgres } from './postgres.ts'
import { book, statements } from './statements.ts'

const { values } = parseArgs({
  options: {
    'usage-rows': { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '5' },
    postgres: { type: 'string' },
  },
})
const usageRows = Number(values['usage-rows'])
const missed: string[] = []
const bar = (what: string, reached: boolean): void => {
  if (!reached) missed.push(what)
}
const whole = (value: number): string => Math.round(value).toLocaleString('en')

console.log(`${cpus().length} cores, load average ${loadavg()[0]?.toFixed(1)}; all figures are measured`)
const events = await durableEvents(Number(values.seconds), 8192)
console.log(`${whole(events)} durable events/s in group commit, 8,192 waiting (bar 50,000, aim 100,000)`)
bar('durable events', events >= 50_000)

const root = mkdtempSync(join(tmpdir(), 'wattmill-bench-books-'))
const store = openStore(makeHome(root))
try {
  const { requests, postings, took_s } = book(store, usageRows, console.error)
  console.log(
    `${whole(postings / took_s)} postings/s on SQLite, sustained over ${took_s.toFixed(0)} s: ${whole(requests / took_s)} requests/s, ${(postings / requests).toFixed(0)} postings each (bar 200,000)`,
  )
  bar('postings', postings / took_s >= 200_000)
  const { sums_ms, rows_ms, same } = statements(store)
  console.log(
    `statement over ${whole(requests * 5)} rows of usage: ${sums_ms.toFixed(0)} ms by sums (bar 2,000), ${whole(rows_ms)} ms by rows; the same to the letter: ${same}`,
  )
  bar('statement', sums_ms <= 2000 && same)
} finally {
  store.close()
  rmSync(root, { recursive: true, force: true })
}
if (values.postgres === undefined) console.log('postings on PostgreSQL: not measured, since --postgres names none')
else {
  const { requests, postings, took_s } = bookOnPostgres(values.postgres, console.error)
  console.log(
    `${whole(postings / took_s)} postings/s on PostgreSQL, sustained over ${took_s.toFixed(0)} s: ${whole(requests / took_s)} requests/s (bar 40,000)`,
  )
  bar('postings on PostgreSQL', postings / took_s >= 40_000)
}
console.log(missed.length === 0 ? 'bars: met' : `bars MISSED: ${missed.join(', ')}`)
process.exitCode = missed.length === 0 ? 0 : 1
