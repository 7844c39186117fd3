/** Postings a second on PostgreSQL, with everything that goes with them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeHome } from '../../src/adapters/files/home.ts'
import { check } from '../../src/adapters/sqlite/check.ts'
import { openStore } from '../../src/adapters/sqlite/store.ts'
import { type Booked, book } from './statements.ts'

/** 100,000 requests: some ten seconds. */
const usageRows = 500_000

export function bookOnPostgres(url: string, tell: (line: string) => void): Booked {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-bench-books-'))
  const store = openStore({ ...makeHome(root), database: url })
  try {
    const booked = book(store, usageRows, tell)
    if (!check(store).conserved) throw new Error('the books are not conserved')
    return booked
  } finally {
    store.close()
    rmSync(root, { recursive: true, force: true })
  }
}
