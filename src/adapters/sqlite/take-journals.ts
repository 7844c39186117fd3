/** Reads what the gateways journaled into the books, and says which gateways are dead. */
import type { Incarnation } from '../../units/ids.ts'
import { isDead } from '../files/alive.ts'
import { ingestJournal, journalCursor, journalReadTo, markDead, noteGap, noteJournal } from './ingest.ts'
import { alivePath } from './journal-file.ts'
import { lastOf, listJournals, readJournal, removeJournal } from './journal-reader.ts'
import { holdsResults } from './journal-results.ts'
import type { Store } from './store.ts'

/** Rows of one transaction, and transactions of one journal and turn: some 50 ms of work. */
const rowsAtOnce = 1000
const piecesAtOnce = 4

/** Told how far each journal is in the books. */
export type ReadTo = (incarnation: Incarnation, seq: number) => void

/** True when there is more to read. */
export function takeJournals(
  store: Store,
  folder: string,
  now: () => number,
  readTo: ReadTo = () => undefined,
): boolean {
  let more = false
  for (const incarnation of listJournals(folder))
    more = takeJournal(store, folder, incarnation, { now, readTo }) || more
  return more
}

/** Dead is asked first, then read to the end: what was written before the death is read, and nothing comes after it. */
function takeJournal(
  store: Store,
  folder: string,
  incarnation: Incarnation,
  { now, readTo }: { readonly now: () => number; readonly readTo: ReadTo },
): boolean {
  noteJournal(store, incarnation)
  const dead = isDead(alivePath(folder, incarnation))
  for (let piece = 0; piece < piecesAtOnce; piece++) {
    const { seq, gap_at } = journalCursor(store, incarnation)
    readTo(incarnation, seq)
    if (gap_at !== null) return false
    const asked_ms = now()
    const rows = readJournal(folder, incarnation, seq, rowsAtOnce)
    if (rows.length > 0) readTo(incarnation, ingestJournal(store, incarnation, rows).seq)
    if (rows.length < rowsAtOnce) {
      if (!dead) journalReadTo(store, incarnation, asked_ms)
      return finish(store, folder, incarnation, dead ? now() : undefined)
    }
  }
  return true
}

function finish(store: Store, folder: string, incarnation: Incarnation, dead_ms: number | undefined): boolean {
  if (dead_ms === undefined) return false
  const { seq, gap_at } = journalCursor(store, incarnation)
  if (gap_at !== null) return false
  const last = lastOf(folder, incarnation)
  if (last > seq) {
    noteGap(store, incarnation, seq, last) // it was acknowledged to a store that is older now
    return false
  }
  markDead(store, incarnation, dead_ms)
  if (!holdsResults(folder, incarnation)) removeJournal(folder, incarnation) // a gateway will take them, and delete them
  return false
}
