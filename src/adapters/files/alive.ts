import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/**
 * Whether a process still lives, told by a lock that the kernel drops when it dies, kill -9 included: an open write
 * transaction on a file of its own. No process id is trusted, since those are used again.
 */
export function holdAlive(path: string): { release(): void } | undefined {
  const database = new DatabaseSync(path)
  try {
    database.exec('pragma journal_mode = delete; pragma busy_timeout = 0; begin exclusive')
  } catch (cause) {
    database.close()
    if ((((cause as { errcode?: number }).errcode ?? 0) & 0xff) === busy) return undefined // somebody else holds it
    throw cause // a full disk: who holds it is not known
  }
  return { release: () => database.close() }
}

/** SQLITE_BUSY */
const busy = 5

/** True when nobody holds the lock; a file that does not exist was never held. */
export function isDead(path: string): boolean {
  if (!existsSync(path)) return true
  const held = holdAlive(path)
  held?.release()
  return held !== undefined
}
