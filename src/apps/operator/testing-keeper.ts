/** A keeper in a process of its own, for the test that kills it. */
import { home } from '../../adapters/files/home.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { setTestPrice } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms, silentMeter } from '../../adapters/sqlite/testing-factory.ts'
import { newKeeper } from './keeper.ts'

const place = home(process.argv[2] ?? '')
const store = openStore(place)
setTestPrice(store)
process.stdout.write('begins\n')
const options = { home: place, store, meter: { idleWatts: 20, fullWatts: 60 }, now: () => dayEnd_ms, log: () => {} }
const keeper = newKeeper({ ...options, readers: [silentMeter] })
keeper.sample()
setInterval(() => keeper.tick(), 1)
