import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transfer } from '../../books/account.ts'
import { ledgerUnits } from '../../books/account.ts'
import { MemoryBooks, residual } from '../../books/memory.ts'
import type { ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { isDead } from '../files/alive.ts'
import type { Home } from '../files/home.ts'
import { transferOf } from './books.ts'
import { closeIntervals } from './close-intervals.ts'
import { engineIsDead, listEngines, readPiece } from './engine-files.ts'
import { parseEngineLine } from './engine-line.ts'
import type { IntervalRow } from './intervals.ts'
import { intervalOf } from './intervals.ts'
import { alivePath, hashOf } from './journal-file.ts'
import { lastOf, listJournals, readJournal } from './journal-reader.ts'
import type { StoredTransfer } from './ledger.ts'
import { openMeter } from './meter.ts'
import { settleOrphans } from './orphans.ts'
import { Prices } from './price-of.ts'
import { allBig } from './query.ts'
import { reconcileAttempts } from './reconcile.ts'
import type { Store } from './store.ts'
import { openStore } from './store.ts'
import { takeEngineLogs } from './take-engine-logs.ts'
import { takeJournals } from './take-journals.ts'
import { setTestPrice, testHome } from './testing.ts'
import { dayEnd_ms, makeDay, silentMeter } from './testing-factory.ts'

const moments = [dayEnd_ms, dayEnd_ms + 5000, dayEnd_ms + 10_000]

/** Steps of one turn of SQLite, in the keeper's order. */
function turnStore(store: Store, home: Home, now: number): void {
  takeJournals(store, home.journals, () => now)
  takeEngineLogs(store, home.engineLogs, () => now)
  for (const step of [
    () => settleOrphans(store, now),
    () => reconcileAttempts(store),
    () => closeIntervals(store, now),
  ])
    step()
}

/** The same files into memory, in the same order. */
function feed(books: MemoryBooks, home: Home, now: number): void {
  for (const name of listJournals(home.journals)) {
    const dead = isDead(alivePath(home.journals, name))
    books.ship(name, readJournal(home.journals, name, books.journals.get(name)?.seq ?? 0, 10_000))
    if (dead) books.dead(name, lastOf(home.journals, name), now)
  }
  for (const name of listEngines(home.engineLogs)) {
    const dead = engineIsDead(home.engineLogs, name)
    if (now === moments[0])
      for (let place = { file: 0, offset: 0 }; ; ) {
        const piece = readPiece(home.engineLogs, name, place)
        books.hear(name, id<ReplicaId>('embedded'), piece.lines.map(parseEngineLine), books.heardTo(name))
        place = piece.next
        if (piece.end) break
      }
    if (dead) books.engineDead(name)
    else books.readTo(name, now)
  }
  books.turn(now)
}

const inOrder = (transfers: Iterable<Transfer>): Transfer[] => [...transfers].sort((a, b) => (a.id < b.id ? -1 : 1))

test('books in memory and in SQLite are the same to the last transfer, whatever the day', () => {
  let refunds = 0
  for (let seed = 1; seed <= 8; seed++) {
    using home = testHome()
    using _ = makeDay(home, seed)
    const store = openStore(home)
    setTestPrice(store)
    const memory = new MemoryBooks(hashOf)
    const price = new Prices(store.database).of(1)
    if (price) memory.prices.set(1, price)
    openMeter(store, home.meters, silentMeter).sample(dayEnd_ms)
    for (const row of allBig<IntervalRow>(store.database, 'select * from meter_interval order by sequence'))
      memory.meter(intervalOf(row))
    for (const now of moments) {
      feed(memory, home, now) // first: SQLite deletes a journal once it has read it
      turnStore(store, home, now)
    }
    const stored = allBig<StoredTransfer>(store.database, 'select * from transfer').map(transferOf)
    assert(stored.length > 200, 'a check that saw nothing proves nothing')
    refunds += stored.filter(({ id }) => id.endsWith('/nano-USD/refund')).length
    assert.deepEqual(inOrder(memory.transfers.values()), inOrder(stored), `seed ${seed}`)
    for (const unit of ledgerUnits) assert.equal(residual(memory.balances, unit), 0n, `seed ${seed}`)
    const ids = (sql: string) => allBig<{ id: string }>(store.database, sql).map(({ id }) => id)
    assert.deepEqual([...memory.settled.keys()].sort(), ids('select id from request order by id'), `seed ${seed}`)
    assert.deepEqual(memory.pending, { open: 0, unreconciled: 0, unattributed: 0 }, `seed ${seed}`)
    store.close()
  }
  assert(refunds > 0, 'some promise was missed')
})
