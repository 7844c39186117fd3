/** Reads what the engines logged into the books, and says which engines are dead. */
import type { ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { engineIsDead, listEngines, readPiece, removeEngine } from './engine-files.ts'
import { engineCursor, engineReadTo, finishEngine, ingestEngineLog } from './engine-log.ts'
import { all } from './query.ts'
import type { Store } from './store.ts'

/** The engine that keeps these logs: the one that runs inside the factory. */
const embedded = id<ReplicaId>('embedded')
/** A piece is a transaction of up to a megabyte; a few of them are some 100 ms. */
const piecesAtOnce = 4
/** Logs of dead engines that stay although all of them is in the books: for whoever wants to look. */
const logsKept = 8

/** True when there is more to read. */
export function takeEngineLogs(store: Store, folder: string, now: () => number): boolean {
  let more = false
  for (const incarnation of listEngines(folder)) more = takeEngineLog(store, folder, incarnation, now) || more
  return more
}

function takeEngineLog(store: Store, folder: string, incarnation: string, now: () => number): boolean {
  if (engineCursor(store, incarnation).dead) return false
  const dead = engineIsDead(folder, incarnation)
  for (let count = 0; count < piecesAtOnce; count++) {
    const from = engineCursor(store, incarnation)
    const asked_ms = now()
    const piece = readPiece(folder, incarnation, from)
    ingestEngineLog(store, incarnation, embedded, from, piece)
    if (!piece.end) continue
    if (dead) finishEngine(store, incarnation)
    else engineReadTo(store, incarnation, asked_ms)
    return false
  }
  return true
}

const settledEngines = `
  select l.incarnation from engine_log l
  where l.dead = 1
    and not exists (select 1 from engine_attempt a where a.incarnation = l.incarnation and a.reconciled = 0)
  order by l.read_to_ms desc, l.incarnation desc`

/** Deletes the logs of dead engines whose every attempt is reconciled, but for the newest. */
export function tidyEngineLogs(store: Store, folder: string): void {
  const there = new Set(listEngines(folder))
  const settled = all<{ incarnation: string }>(store.database, settledEngines).filter((log) =>
    there.has(log.incarnation),
  )
  for (const { incarnation } of settled.slice(logsKept)) removeEngine(folder, incarnation)
}
