import type { Factory } from './factory.ts'
import { startKeeper } from './keeper.ts'

/** Before the books of a stopped factory are read: the journals that its gateways left are posted, once through. */
export async function settleBooks({ home, store, log }: Factory): Promise<void> {
  // The meters stand still with the factory, so the watts are those of the samples already taken.
  const keeper = startKeeper({ home, store, idleWatts: 0, fullWatts: 0, log })
  try {
    await keeper.tick()
  } finally {
    await keeper.stop()
  }
}
