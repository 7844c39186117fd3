import { hash } from 'node:crypto'
import { join } from 'node:path'

/** Where the journal of one gateway incarnation lies. */
export const journalPath = (directory: string, incarnation: string): string => join(directory, `${incarnation}.db`)

/** Held by that gateway for as long as it lives. */
export const alivePath = (directory: string, incarnation: string): string => join(directory, `${incarnation}.alive`)

/** What makes a row the same row: compared when it arrives a second time, and again by every audit. */
export const hashOf = (body: string): string => hash('sha256', body, 'hex')

/**
 * Rows by number; results of batches beside the close rows that bill them, until they are in the batch's own files; a mark keeps the
 * numbering when rows are deleted; the probe's table is empty but while it probes.
 */
export const journalSchema = `
  create table if not exists row (
    seq integer primary key, kind text not null, id text not null, body text not null, hash text not null
  ) strict;
  create table if not exists result (id text primary key, batch text not null, body text not null) strict;
  create table if not exists mark (name text primary key, value integer not null) strict;
  create table if not exists probe (ballast blob not null) strict;`

/** What the main thread gives the journal's worker to do; one at a time, each is answered by one `JournalDone`. */
export type JournalWork =
  | { readonly do: 'write'; readonly rows: PackedRows }
  /** Deletes rows up to `seq`, at most `most` of them. */
  | { readonly do: 'trim'; readonly seq: number; readonly most: number }
  /** Deletes results of requests: they are elsewhere now. */
  | { readonly do: 'forget'; readonly ids: readonly string[] }
  /** Finds out whether there is room again, and leaves that room free for the rows to come. */
  | { readonly do: 'probe' }
  | { readonly do: 'close' }

/** Kind, id and body of one row after the other: texts alone cross to a thread at half the cost of objects. Results are rare. */
export interface PackedRows {
  readonly texts: readonly string[]
  readonly results: readonly (readonly [row: number, result: Result])[]
}

export const packed = (rows: readonly JournalEntry[]): PackedRows => ({
  texts: rows.flatMap(({ kind, id, body }) => [kind, id, body]),
  results: rows.flatMap(({ result }, row) => (result ? [[row, result] as const] : [])),
})

export function unpacked({ texts, results }: PackedRows): JournalEntry[] {
  const of = new Map(results)
  return Array.from({ length: texts.length / 3 }, (_, row) => ({
    kind: texts[3 * row] ?? '',
    id: texts[3 * row + 1] ?? '',
    body: texts[3 * row + 2] ?? '',
    result: of.get(row),
  }))
}

export interface JournalEntry {
  readonly kind: string
  readonly id: string
  readonly body: string
  readonly result: Result | undefined
}

/** The answer to a line of a batch: durable with the close row that bills it, or not at all. */
export interface Result {
  readonly batch: string
  readonly body: string
}

export type JournalDone =
  | { readonly done: true; readonly trimmed: number }
  | { readonly done: false; readonly why: string }

export interface JournalSettings {
  readonly path: string
  /** Bound of the file in bytes, its log left out. */
  readonly largest: number
}
