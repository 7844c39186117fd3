import type { Factory } from './factory.ts'
import { newKeeper } from './keeper.ts'

/** A turn takes what fits its time; a backlog of a million rows is some hundred turns. */
const mostTurns = 100_000

/**
 * Before the books of a stopped factory are read: what its processes left in their journals and logs is posted. No meter is
 * read, since nobody works.
 */
export function settleBooks({ home, store, now, log }: Factory): void {
  const keeper = newKeeper({ home, store, now, log, meter: { idleWatts: 0, fullWatts: 0 }, readers: [] })
  try {
    for (let turn = 0; turn < mostTurns && keeper.tick(); turn++);
  } finally {
    keeper.close()
  }
}
