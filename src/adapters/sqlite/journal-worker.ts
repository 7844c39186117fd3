/**
 * The thread that waits for the disk, so that the gateway's event loop does not. It does one thing at a time, in the
 * order it was told, and says of each whether it is durable.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { JournalDone, JournalEntry, JournalSettings, JournalWork } from './journal-file.ts'
import { hashOf, journalSchema, unpacked } from './journal-file.ts'

const { path, largest } = workerData as JournalSettings

/**
 * Room that a probe asks for and gives back. A probe that only changed a row in place would find the disk free, the next
 * row would find it full, and the gateway would open and shut with every probe.
 */
const probeBytes = 256 * 1024

/** Pages of 4 KiB: what a busy second keeps using stays, 16 MiB or a quarter of the bound. */
const worthGivingBack = Math.min(4096, largest / 4096 / 4)

interface Open {
  readonly database: DatabaseSync
  readonly insert: ReturnType<DatabaseSync['prepare']>
  readonly insertResult: ReturnType<DatabaseSync['prepare']>
  /** The last row that is durable. Only a commit moves it, so that a failed one leaves no gap. */
  seq: number
}

let open: Open | undefined

function opened(): Open {
  if (open) return open
  const database = new DatabaseSync(path)
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 1000')
    database.exec('pragma journal_size_limit = 16777216')
    database.exec(`pragma max_page_count = ${Math.ceil(largest / 4096)}`)
    database.exec(`begin immediate; ${journalSchema} commit`)
    const last = database
      .prepare('select max(coalesce((select max(seq) from row), 0), coalesce((select max(value) from mark), 0)) as seq')
      .get()
    const insert = database.prepare('insert into row (seq, kind, id, body, hash) values (?, ?, ?, ?, ?)')
    const insertResult = database.prepare('insert into result (id, batch, body) values (?, ?, ?)')
    open = { database, insert, insertResult, seq: Number(last?.seq) }
    return open
  } catch (cause) {
    database.close()
    throw cause
  }
}

function write({ database, insert, insertResult, seq }: Open, rows: readonly JournalEntry[]): number {
  let next = seq
  database.exec('begin immediate')
  for (const { kind, id, body, result } of rows) {
    insert.run(++next, kind, id, body, hashOf(body))
    if (result) insertResult.run(id, result.batch, result.body)
  }
  database.exec('commit')
  return next
}

/** The mark keeps the numbering going when the file is opened again with every row of it deleted. */
function trim({ database }: Open, seq: number, most: number): number {
  const from = database.prepare('select min(seq) as seq from row').get()?.seq
  if (from === null || from === undefined) return seq
  const to = Math.min(seq, Number(from) + most - 1)
  database.exec('begin immediate')
  database.prepare('delete from row where seq <= ?').run(to)
  database
    .prepare("insert into mark (name, value) values ('trimmed', ?) on conflict do update set value = excluded.value")
    .run(to)
  database.exec('commit')
  giveBack(database)
  return to
}

function forget({ database }: Open, ids: readonly string[]): void {
  database.exec('begin immediate')
  const remove = database.prepare('delete from result where id = ?')
  for (const id of ids) remove.run(id)
  database.exec('commit')
}

/**
 * The room of a long outage goes back to the disk once nearly all of it is free: then there is little to copy. (SQLite's
 * own incremental vacuum was tried: it cost a fifth of the rows per second, all the time.)
 */
function giveBack(database: DatabaseSync): void {
  const of = (pragma: string): number => Number(Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})[0])
  const [pages, free] = [of('page_count'), of('freelist_count')]
  if (free < worthGivingBack || free < 0.9 * pages) return
  database.exec('vacuum')
  database.exec('pragma wal_checkpoint(truncate)')
}

function probe({ database }: Open): void {
  database.prepare('insert into probe (ballast) values (zeroblob(?))').run(probeBytes)
  database.exec('delete from probe')
}

function close(): void {
  open?.database.close()
  open = undefined
}

function perform(work: JournalWork): number {
  if (work.do === 'close') {
    close()
    return 0
  }
  const journal = opened()
  try {
    if (work.do === 'write') journal.seq = write(journal, unpacked(work.rows))
    if (work.do === 'trim') return trim(journal, work.seq, work.most)
    if (work.do === 'forget') forget(journal, work.ids)
    if (work.do === 'probe') probe(journal)
    return 0
  } catch (cause) {
    if (journal.database.isTransaction) journal.database.exec('rollback')
    throw cause
  }
}

/** A full disk and a full journal are one error to SQLite and two to whoever must act on it. */
function reason(cause: unknown): string {
  const error = cause as Error & { errcode?: number }
  if (error.errcode !== 13 || !open) return error.message
  const pages = Number(open.database.prepare('pragma page_count').get()?.page_count)
  return (pages * 4096 + probeBytes) / largest >= 1 ? 'journal too large' : 'disk full'
}

const answer = (done: JournalDone): void => parentPort?.postMessage(done)

parentPort?.on('message', (work: JournalWork) => {
  try {
    answer({ done: true, trimmed: perform(work) })
  } catch (cause) {
    answer({ done: false, why: reason(cause) })
  }
})
