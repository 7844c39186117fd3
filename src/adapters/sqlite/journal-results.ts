/**
 * Answers to lines of batches that a gateway made durable with the rows that bill them, and that it did not come to move into
 * the files of their batches: whoever drives the batches next does it.
 */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Incarnation } from '../../units/ids.ts'
import { journalPath } from './journal-file.ts'

export interface KeptResult {
  /** Of the request. */
  readonly id: string
  readonly batch: string
  readonly body: string
}

/** Results of a batch in one journal, at most so many: what was answered in a second or two. */
export const resultsOf = (directory: string, incarnation: Incarnation, batch: string, most = 10_000): KeptResult[] =>
  inside(directory, incarnation, [], (database) =>
    database
      .prepare('select id, batch, body from result where batch = ? order by id limit ?')
      .all(batch, most)
      .map((row) => row as unknown as KeptResult),
  )

/** Batches that a journal holds results of. */
export const batchesIn = (directory: string, incarnation: Incarnation): string[] =>
  inside(directory, incarnation, [], (database) =>
    database
      .prepare('select distinct batch from result')
      .all()
      .map(({ batch }) => String(batch)),
  )

export const holdsResults = (directory: string, incarnation: Incarnation): boolean =>
  batchesIn(directory, incarnation).length > 0

/** Deletes the results of a batch: they are in its files, or it is over. For journals that nobody writes any more. */
export const dropResults = (directory: string, incarnation: Incarnation, batch: string): void =>
  inside(directory, incarnation, undefined, (database) => {
    database.prepare('delete from result where batch = ?').run(batch)
  })

/** Never makes the file: its owner may have deleted it a moment ago. */
function inside<T>(directory: string, incarnation: Incarnation, none: T, use: (database: DatabaseSync) => T): T {
  const path = journalPath(directory, incarnation)
  if (!existsSync(path)) return none
  const url = pathToFileURL(path)
  url.search = 'mode=rw'
  const database = new DatabaseSync(url)
  try {
    database.exec('pragma busy_timeout = 1000; pragma synchronous = full')
    const made = database.prepare("select 1 from sqlite_schema where name = 'result'").get()
    return made ? use(database) : none // of a version that had none, or not made yet
  } finally {
    database.close()
  }
}
