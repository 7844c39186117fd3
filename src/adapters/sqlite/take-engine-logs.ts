/** Reads what the engines logged into the books, and says which engines are dead. */
import type { ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { engineIsDead, listEngines, listLogFiles, readPiece, removeLogFile } from './engine-files.ts'
import { engineCursor, engineReadTo, finishEngine, ingestEngineLog } from './engine-log.ts'
import type { Store } from './store.ts'

/** The engine that keeps these logs: the one that runs inside the factory. */
const embedded = id<ReplicaId>('embedded')
/** A piece is a transaction of up to a megabyte; a few of them are some 100 ms. */
const piecesAtOnce = 4

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

export interface LogsKept {
  /** Files whose last line is older are deleted. */
  readonly since_ms: number
  /** Beyond it the oldest are, whatever their age. */
  readonly most_bytes: number
}

/**
 * Deletes log files of which every line is in the books, oldest first: those that are too old, and more when there are too
 * many. What is not read yet stays, and so does the file that an engine writes.
 */
export function tidyEngineLogs(store: Store, folder: string, { since_ms, most_bytes }: LogsKept): void {
  const files = listLogFiles(folder)
  let held = files.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const file of files) {
    if (file.written_ms >= since_ms && held <= most_bytes) return
    const cursor = engineCursor(store, file.incarnation)
    if (!cursor.dead && file.number >= cursor.file) continue
    removeLogFile(folder, file, cursor.dead)
    held -= file.bytes
  }
}
