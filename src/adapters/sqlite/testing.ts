/** What the tests of this folder share: a home that goes away, rows, and a factory's day made from a seed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { CloseRow, OpenRow, Outcome } from '../../books/row.ts'
import type { JournalRow } from '../../books/ship.ts'
import { usageFrom } from '../../books/usage.ts'
import type { Incarnation } from '../../units/ids.ts'
import { id, requestId } from '../../units/ids.ts'
import { holdAlive } from '../files/alive.ts'
import type { Home } from '../files/home.ts'
import { keepAddress, makeHome } from '../files/home.ts'
import { freshSchema } from '../postgres/testing-schema.ts'
import { noteJournal } from './ingest.ts'
import { alivePath, hashOf, journalPath, journalSchema } from './journal-file.ts'
import type { Store } from './store.ts'
import { openStore } from './store.ts'

export function testHome(): Home & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-test-'))
  const shared = testDatabase === undefined ? undefined : freshSchema(testDatabase)
  if (shared) keepAddress(root, shared.url)
  const dispose = (): void => {
    shared?.drop()
    rmSync(root, { recursive: true, force: true })
  }
  return { ...makeHome(root), [Symbol.dispose]: dispose }
}

/** Another home, whose store is the same. */
export function besides({ database }: Home): Home & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-test-'))
  keepAddress(root, database ?? '')
  return { ...makeHome(root), [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

/** Where it is set, the tests that open a store open it there: each in a schema of its own. */
export const testDatabase = process.env.WATTMILL_TEST_POSTGRES

export const onPostgres = testDatabase !== undefined

/** For what several homes share. */
export const ofSeveral = { skip: onPostgres ? false : 'set WATTMILL_TEST_POSTGRES to the address of a PostgreSQL' }

/** For what is said of a file of SQLite, and of nothing else. */
export const ofSqlite = { skip: onPostgres ? 'of a file of SQLite' : false }

export const gateway = id<Incarnation>('gw')

export function openRow(number: number, more: Partial<OpenRow> = {}, of = gateway): OpenRow {
  return {
    kind: 'open',
    id: requestId(of, number),
    tenant: id('acme'),
    application: id('support'),
    key: id('k1'),
    model: id('m'),
    price_version: 1,
    snapshot: 1,
    at_ms: 1_000_000 + number,
    reserved_tokens: 10,
    ...more,
  }
}

export function closeRow(number: number, more: Partial<CloseRow> = {}, of = gateway): CloseRow {
  const { kind: _, reserved_tokens: __, ...asked } = openRow(number, {}, of)
  return {
    ...asked,
    kind: 'close',
    closed_ms: asked.at_ms + 500,
    queued_ms: 0,
    ttft_ms: 10,
    stream: true,
    outcome: 'complete' as Outcome,
    attempts: [{ number: 1, replica: id('embedded'), usage: embeddedUsage(100, 20, 30) }],
    ...more,
  }
}

/** As the gateway tells it of the embedded engine. */
export const embeddedUsage = (input_uncached: number, cache_read: number, output_visible: number) =>
  usageFrom('engine', { input_uncached, cache_read, cache_write: 0, output_visible, reasoning: 0 })

export const journaled = (rows: readonly (OpenRow | CloseRow)[], from = 1): JournalRow[] =>
  rows.map((row, index) => {
    const body = JSON.stringify(row)
    return { seq: from + index, row, body, hash: hashOf(body) }
  })

/** Version 1, an odd number of nano-dollars so that rounding is met; a third comes back where a first token was late. */
export const setTestPrice = (store: Store): void =>
  store.database.exec(
    "insert into price (version, model, effective_from_ms, input_uncached, cache_read, cache_write, output_visible, reasoning, note, refund_ttft_ms, refund_percent) values (1, 'm', 0, 37500001, 3750001, 0, 150000003, 150000003, 'test', 1000, 33) on conflict do nothing",
  )

/** Version 2, which some day took its place: other prices, another promise. */
export const setLaterPrice = (store: Store): void =>
  store.database.exec(
    "insert into price (version, model, effective_from_ms, input_uncached, cache_read, cache_write, output_visible, reasoning, note, refund_ttft_ms, refund_percent, hit_percent) values (2, 'm', 0, 61000007, 5250003, 0, 99000001, 99000001, 'later', 900, 71, 25)",
  )

/** A store whose engine `gpu`, elsewhere, is measured by the meter `board`; with a price, and a journal to be read. */
export function measuredStore(home: Home): Store {
  const store = openStore(home)
  setTestPrice(store)
  noteJournal(store, gateway)
  store.database.exec(`
    insert into engine (name, vendor, url, concurrency, created_ms) values ('gpu', 'openai', 'http://127.0.0.1:1', 4, 0);
    insert into meter (name, source, created_ms) values ('board', '{}', 0);
    insert into engine_meter (engine, meter, from_ms) values ('gpu', 'board', 0)`)
  return store
}

/** A number in [0, below), the same for the same seed. */
export function dice(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 12345) >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A journal as a gateway leaves it, without the gateway. Closed and unheld it is that of a dead one. */
export function writeJournal(directory: string, incarnation: Incarnation, rows: readonly (OpenRow | CloseRow)[]): void {
  holdAlive(alivePath(directory, incarnation))?.release()
  const database = new DatabaseSync(journalPath(directory, incarnation))
  database.exec(`pragma journal_mode = wal; begin; ${journalSchema}`)
  const insert = database.prepare('insert into row (seq, kind, id, body, hash) values (?, ?, ?, ?, ?)')
  for (const { seq, row, body, hash } of journaled(rows)) insert.run(seq, row?.kind ?? '', row?.id ?? '', body, hash)
  database.exec('commit')
  database.close()
}

/** The same store, of an operator that looks before another one does something, and takes its turn after it. */
export function lateTurn(store: Store, other: () => void): Store {
  let due = true
  const transaction: Store['transaction'] = (work) => {
    if (due) {
      due = false
      other()
    }
    return store.transaction(work)
  }
  return { ...store, transaction }
}
