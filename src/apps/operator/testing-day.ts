import assert from 'node:assert/strict'
import type { Store } from '../../adapters/sqlite/store.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { setTestPrice, testHome } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { newKeeper } from './keeper.ts'

/** A day's books, all settled. */
export function withBooks(work: (store: Store) => void, seed = 3): void {
  using home = testHome()
  using _ = makeDay(home, seed)
  const store = openStore(home)
  setTestPrice(store)
  for (const now of [dayEnd_ms, dayEnd_ms + 5000]) {
    const options = { home, store, meter: { idleWatts: 20, fullWatts: 60 }, now: () => now, log: assert.fail }
    const keeper = newKeeper({ ...options, readers: [silentMeter] })
    if (now === dayEnd_ms) keeper.sample()
    for (let turn = 0; turn < 5; turn++) keeper.tick()
    keeper.close()
  }
  work(store)
  store.close()
}
