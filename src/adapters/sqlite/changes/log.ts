import { createHash } from 'node:crypto'
import { clock } from '../../clock/clock.ts'
import type { Database } from '../../database/database.ts'
import { all, one, run, streamPlain } from '../query.ts'

/** In whose name a store is changed. */
export interface Actor {
  readonly who: string
  readonly action: string
  /** Whether anything was logged in this name. */
  logged: boolean
}

/** The factory itself: its first start, and settings that it takes over at the next ones. */
export const itself = (): Actor => ({ who: 'wattmill', action: 'start', logged: false })

export interface Change {
  readonly seq: number
  readonly at_ms: number
  readonly who: string
  readonly action: string
  readonly kind: string
  readonly what: string
  /** JSON; null: it was not there. */
  readonly before: string | null
  readonly after: string | null
}

type Noted = Pick<Change, 'kind' | 'what' | 'before' | 'after'>

/** Moves what this transaction has changed into the log: the change and its line are durable together, or neither is. */
export function logChanges(database: Database, actor: Actor): void {
  const noted = all<Noted>(database, 'select kind, what, before, after from changed order by seq')
  if (noted.length === 0) return
  run(database, 'delete from changed')
  for (const change of noted) if (change.before !== change.after) append(database, actor, change)
}

/** A deed that changed no table of ours, such as a restart of the gateways. Within a transaction of the caller's. */
export const logDeed = (database: Database, actor: Actor, what: string): void =>
  append(database, actor, { kind: 'deed', what, before: null, after: null })

function append(database: Database, actor: Actor, noted: Noted): void {
  const last = one<{ seq: number; hash: string }>(
    database,
    'select seq, hash from change_log order by seq desc limit 1',
  ) ?? { seq: 0, hash: '' }
  const { who, action } = actor
  const { kind, what, before, after } = noted
  const change: Change = { seq: last.seq + 1, at_ms: clock.ms(), who, action, kind, what, before, after }
  run(
    database,
    `insert into change_log (seq, at_ms, who, action, kind, what, before, after, hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    change.seq,
    change.at_ms,
    who,
    action,
    kind,
    what,
    before,
    after,
    hashOf(last.hash, change),
  )
  actor.logged = true
}

/** What is altered, taken out or put in later does not fit the hash of the line after it. */
const hashOf = (previous: string, { seq, at_ms, who, action, kind, what, before, after }: Change): string =>
  createHash('sha256')
    .update(JSON.stringify([previous, seq, at_ms, who, action, kind, what, before, after]))
    .digest('hex')

export interface WantedChanges {
  readonly limit: number
  /** Only older ones than this number. */
  readonly before?: number | undefined
  readonly who?: string | undefined
  readonly kind?: string | undefined
}

/** Newest first. */
export function listChanges(database: Database, { limit, before, who, kind }: WantedChanges): Change[] {
  const wanted = [
    ['seq < ?', before],
    ['who = ?', who],
    ['kind = ?', kind],
  ] as const
  const given = wanted.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  return all<Change>(
    database,
    `select seq, at_ms, who, action, kind, what, before, after from change_log
     where ${['1 = 1', ...given.map(({ sql }) => sql)].join(' and ')} order by seq desc limit ?`,
    ...given.map(({ value }) => value),
    limit,
  )
}

export interface Chain {
  readonly whole: boolean
  readonly changes: number
  /** Of the last line: kept elsewhere, it proves that none was cut off at the end. */
  readonly hash: string
  /** The first line that does not fit; null: all do. */
  readonly broken_at: number | null
}

/** Reads the whole log and works its hashes out anew. */
export function checkChain(database: Database): Chain {
  let [changes, hash] = [0, '']
  for (const line of streamPlain<Change & { hash: string }>(database, 'select * from change_log order by seq')) {
    if (line.seq !== changes + 1 || line.hash !== hashOf(hash, line))
      return { whole: false, changes, hash, broken_at: line.seq }
    changes++
    hash = line.hash
  }
  return { whole: true, changes, hash, broken_at: null }
}
