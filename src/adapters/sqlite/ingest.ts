import type { JournalCursor, JournalRow } from '../../books/ship.ts'
import { gap, ship } from '../../books/ship.ts'
import type { Incarnation } from '../../units/ids.ts'
import { apply, knownIn } from './apply.ts'
import { isWaitedFor, nodeOf, nodesReadTo } from './nodes.ts'
import { one, run } from './query.ts'
import type { Store } from './store.ts'

/**
 * A gateway's journal is there: its requests are known to be ours, though no row of it may ever be read. Asked in every turn, so
 * what is known already is not written again; a journal from before homes were noted gets its own.
 */
export function noteJournal(store: Store, incarnation: Incarnation): void {
  const node = nodeOf(store)
  const made = 'insert into journal (incarnation, seq, node) values (?, 0, ?) on conflict do nothing'
  if (run(store.database, made, incarnation, node) === 0 && node !== null)
    run(store.database, 'update journal set node = ? where incarnation = ? and node is null', node, incarnation)
}

export const journalCursor = (
  store: Store,
  incarnation: Incarnation,
): JournalCursor & { readonly dead_ms: number | null } =>
  one(store.database, 'select seq, gap_at, dead_ms from journal where incarnation = ?', incarnation) ?? {
    seq: 0,
    gap_at: null,
    dead_ms: null,
  }

/** Rows of a journal → the books: what `ship` decides, in one transaction with what it was decided from. */
export function ingestJournal(store: Store, incarnation: Incarnation, rows: readonly JournalRow[]): JournalCursor {
  return store.transaction(() => {
    noteJournal(store, incarnation)
    const known = knownIn(store, [...new Set(rows.flatMap(({ row }) => row?.id ?? []))])
    apply(store, ship(incarnation, journalCursor(store, incarnation), rows, known))
    const { seq, gap_at } = journalCursor(store, incarnation)
    return { seq, gap_at }
  })
}

/** A row that its gateway wrote is gone: told by the number of the last one. */
export const noteGap = (store: Store, incarnation: Incarnation, seq: number, found: number): void =>
  store.transaction(() => apply(store, gap(incarnation, seq, found)))

/** All that a living gateway journaled before a moment has been read. */
export const journalReadTo = (store: Store, incarnation: Incarnation, now_ms: number): void =>
  void run(
    store.database,
    'update journal set read_to_ms = ? where incarnation = ? and read_to_ms < ?',
    now_ms,
    incarnation,
    now_ms,
  )

/**
 * Up to when every living gateway's journal has been read, and every home that shares the store has said which there are;
 * infinity when none lives. One with a gap is read no further, and one in a home that is given up is not waited for.
 */
export const journalsReadTo = (store: Store): number =>
  Math.min(
    nodesReadTo(store),
    one<{ read: number | null }>(
      store.database,
      `select min(read_to_ms) as read from journal j where dead_ms is null and gap_at is null and ${isWaitedFor('j')}`,
    )?.read ?? Number.POSITIVE_INFINITY,
  )

/** Its gateway was dead before the last reading, and the last reading found nothing more. */
export const markDead = (store: Store, incarnation: Incarnation, now_ms: number): void =>
  void run(
    store.database,
    'update journal set dead_ms = ? where incarnation = ? and dead_ms is null and gap_at is null',
    now_ms,
    incarnation,
  )
