import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeIntervals } from '../src/adapters/sqlite/close-intervals.ts'
import { closeLevels } from '../src/adapters/sqlite/close-levels.ts'
import { exportBooks } from '../src/adapters/sqlite/export.ts'
import { journalReadTo } from '../src/adapters/sqlite/ingest.ts'
import { insertInterval } from '../src/adapters/sqlite/intervals.ts'
import { placeMeter } from '../src/adapters/sqlite/registry/places.ts'
import type { Store } from '../src/adapters/sqlite/store.ts'
import { dice, gateway, measuredStore, testHome } from '../src/adapters/sqlite/testing.ts'
import { millijoules } from '../src/units/amount.ts'
import { checkLevels } from './audit/levels.ts'
import { parseExport } from './audit/read.ts'

const hour_ms = 3_600_000
const begin_ms = 500_016 * hour_ms
const end_ms = begin_ms + 2 * hour_ms

/** Read at moments of its own; `watts` vary, so that an upper meter is now and then below those that it is above. */
function read(store: Store, meter: string, every_ms: number, watts: number, roll: (below: number) => number): void {
  let sequence = 1
  for (let from_ms = begin_ms; from_ms < end_ms; sequence++) {
    const to_ms = Math.min(end_ms, from_ms + every_ms + roll(every_ms))
    const energy = millijoules(BigInt((to_ms - from_ms) * (watts + roll(watts))))
    const idle = millijoules(0n)
    const reset = meter === 'host' && sequence === 30
    insertInterval(store, { meter, sequence, from_ms, to_ms, energy, idle, grade: 'measured', reset })
    from_ms = to_ms
  }
}

test('an auditor who takes meters below from those above finds what is booked, and each number that was changed', () => {
  using home = testHome()
  const store = measuredStore(home)
  const source = { kind: 'watts', idle: 0, full: 1 } as const
  placeMeter(store, { name: 'host', source }, { level: 'host', rule: 'energy', below: ['board'] }, 1)
  placeMeter(store, { name: 'hall', source }, { level: 'facility', rule: 'overhead', below: ['host'] }, 1)
  const roll = dice(3)
  store.transaction(() => {
    read(store, 'board', 47_000, 300, roll)
    read(store, 'host', 61_000, 420, roll)
    read(store, 'hall', 290_000, 600, roll)
  })
  const now_ms = end_ms + hour_ms
  journalReadTo(store, gateway, now_ms)
  while (closeIntervals(store, now_ms));
  while (closeLevels(store, now_ms));
  const books = () => parseExport([...exportBooks(store)].join(''))
  const { upper = [] } = books()
  const closed = upper.filter(({ booked_mj }) => booked_mj !== null)
  assert(closed.length > 50 && closed.some(({ owed_mj }) => (owed_mj ?? 0n) > 0n), 'some contradict those below')
  assert.deepEqual(checkLevels(books()), [])

  const planted = (change: string, message: RegExp, undo: string): void => {
    store.database.exec(change)
    assert.match(checkLevels(books())[0]?.message ?? '', message, change)
    store.database.exec(undo)
  }
  const energy = (meter: string, sequence: number, more: number): string =>
    `update meter_interval set energy_mj = energy_mj + ${more} where meter = '${meter}' and sequence = ${sequence}`
  planted(energy('host', 20, 1), /beyond the meters below/, energy('host', 20, -1))
  planted(energy('board', 40, 5000), /beyond the meters below/, energy('board', 40, -5000))
  planted("update upper_interval set owed_mj = owed_mj + 1 where meter = 'hall' and sequence = 3", /owes/, 'select 1')
  store.close()
})
