/**
 * The operator's side of a gateway's journal: reads it while the gateway writes and after its death, changes nothing in it,
 * and deletes the files once all of it is in the books.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { JournalRow } from '../../books/ship.ts'
import type { Incarnation } from '../../units/ids.ts'
import { alivePath, hashOf, journalPath } from './journal-file.ts'
import { parseRow } from './row-shape.ts'

/** Incarnations that have a journal here. */
export function listJournals(directory: string): Incarnation[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.db'))
    .map((name) => name.slice(0, -'.db'.length) as Incarnation)
    .sort()
}

/** Rows after a number, oldest first. Each is checked against its hash. */
export function readJournal(directory: string, incarnation: Incarnation, after: number, limit: number): JournalRow[] {
  return reading(directory, incarnation, [], (database) =>
    database
      .prepare('select seq, body, hash from row where seq > ? order by seq limit ?')
      .all(after, limit)
      .map((stored) => {
        const { seq, body, hash } = stored as { seq: number; body: string; hash: string }
        return { seq, body, hash, row: hashOf(body) === hash ? parseRow(body) : undefined }
      }),
  )
}

/** Number of the last row, deleted ones included: how far the operator has to go. */
export const lastOf = (directory: string, incarnation: Incarnation): number =>
  reading(directory, incarnation, 0, (database) =>
    Number(
      database
        .prepare(
          'select max(coalesce((select max(seq) from row), 0), coalesce((select max(value) from mark), 0)) as seq',
        )
        .get()?.seq,
    ),
  )

function reading<T>(directory: string, incarnation: Incarnation, none: T, read: (database: DatabaseSync) => T): T {
  const path = journalPath(directory, incarnation)
  if (!existsSync(path)) return none
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    database.exec('pragma busy_timeout = 1000')
    const made = database.prepare("select count(*) as tables from sqlite_schema where name in ('row', 'mark')").get()
    return made?.tables === 2 ? read(database) : none // its gateway has not come to make the tables, and may never
  } finally {
    database.close()
  }
}

/** Deletes a dead gateway's journal. The lock goes last: while there is a journal, there is a file that says it is dead. */
export function removeJournal(directory: string, incarnation: Incarnation): void {
  const path = journalPath(directory, incarnation)
  for (const file of [`${path}-shm`, `${path}-wal`, path, alivePath(directory, incarnation)])
    rmSync(file, { force: true })
}
