import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../books/cost-hour.ts'
import { millijoules } from '../../units/amount.ts'
import type { Incarnation } from '../../units/ids.ts'
import { attemptId, id, requestId } from '../../units/ids.ts'
import { check } from './check.ts'
import { closeIntervals } from './close-intervals.ts'
import { closeHours } from './costs/close-hours.ts'
import { declare } from './costs/declarations.ts'
import { engineReadTo, ingestEngineLog } from './engine-log.ts'
import { ingestJournal, journalReadTo, journalsReadTo } from './ingest.ts'
import { insertInterval } from './intervals.ts'
import { abandonNode, joinNodes, leaveNodes, listNodes, nodeReadTo } from './nodes.ts'
import { all, one } from './query.ts'
import { reconcileAttempts } from './reconcile.ts'
import { rollUp } from './rollup.ts'
import { openStore, type Store } from './store.ts'
import { besides, closeRow, embeddedUsage, journaled, ofSeveral, openRow, setTestPrice, testHome } from './testing.ts'

const first = 500_016
const at_ms = first * hour_ms + 60_000
const now_ms = (first + 2) * hour_ms + 5000
const lost = id<Incarnation>('gw2')

/** What a machine costs, so that there are hours to close. */
function costly(store: Store): void {
  setTestPrice(store)
  const terms = { per: 'time', series: { usual: 100_000_000_000n } } as const
  declare(store, { kind: 'tariff', name: 'all', from_ms: first * hour_ms, note: '', terms }, now_ms)
}

/** Closes what can be closed; how many hours are. */
function closed(store: Store): number {
  while (closeIntervals(store, now_ms)) {}
  while (closeHours(store, now_ms)) {}
  return one<{ n: number }>(store.database, 'select count(*) as n from closed_hour where stale = 0')?.n ?? 0
}

const drawn = (store: Store): void => {
  const [from_ms, energy] = [at_ms - 1000, millijoules(9_000_000n)]
  const span = { from_ms, to_ms: from_ms + 10_000, energy, idle: millijoules(1_000_000n), reset: false }
  insertInterval(store, { ...span, meter: 'cpu', sequence: 1, grade: 'measured', claims: [] })
}

const joules = (store: Store) =>
  all<{ account: string; amount: bigint }>(
    store.database,
    "select credit as account, sum(amount) as amount from transfer where unit = 'mJ' and credit like 'waste/%' group by credit",
  )

test(
  'a home that is given up holds back no hour with what its gateways had open; back, it does again',
  ofSeveral,
  () => {
    using home = testHome()
    using other = besides(home)
    const [here, there] = [openStore(home), openStore(other)]
    joinNodes(here, 1, at_ms)
    joinNodes(there, 1, at_ms)
    costly(here)
    const [open, close] = [openRow(1, { at_ms }, lost), closeRow(1, { at_ms, closed_ms: at_ms + 9000 }, lost)]
    ingestJournal(there, lost, journaled([open]))
    journalReadTo(there, lost, at_ms + 5000)
    nodeReadTo(there, at_ms + 5000)
    nodeReadTo(here, now_ms)
    assert.equal(closed(here), 0)
    rollUp(here, now_ms)
    abandonNode(here, 2, now_ms)
    assert.equal(journalsReadTo(here), now_ms)
    assert.equal(closed(here), 2)
    assert.deepEqual(
      listNodes(here).map(({ abandoned_ms }) => abandoned_ms),
      [null, now_ms],
    )

    assert(nodeReadTo(there, now_ms + 1000), 'it is told that it had been given up')
    assert.equal(journalsReadTo(here), at_ms + 5000, 'waited for again')
    ingestJournal(there, lost, journaled([close], 2))
    assert.equal(one<{ n: number }>(here.database, 'select count(*) as n from request')?.n, 1, 'late, and whole')
    const found = check(here)
    assert.deepEqual([found.conserved, found.open, found.quarantined], [true, 0, 0])
    here.close()
    there.close()
  },
)

test('a home that was stopped with a journal which nobody read to its end can be given up too', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [here, there] = [openStore(home), openStore(other)]
  joinNodes(here, 1, at_ms)
  joinNodes(there, 1, at_ms)
  ingestJournal(there, lost, journaled([openRow(1, { at_ms }, lost)]))
  leaveNodes(there, at_ms + 5000)
  nodeReadTo(here, now_ms)
  assert.equal(journalsReadTo(here), 0)
  abandonNode(here, 2, now_ms)
  assert.equal(journalsReadTo(here), now_ms)
  here.close()
  there.close()
})

test(
  'joules of an engine that is lost with its home are waste, and stay it when its request is known after all',
  ofSeveral,
  () => {
    using home = testHome()
    using other = besides(home)
    const [here, there] = [openStore(home), openStore(other)]
    joinNodes(here, 1, at_ms) // the one with the embedded engine, which is lost
    joinNodes(there, 1, at_ms)
    costly(here)
    const request = requestId(lost, 1)
    const attempt = attemptId(request, 1)
    const lines = [
      { log: 'begin', at_ms, id: attempt, model: 'm', input_uncached: 100, cache_read: 20 },
      { log: 'step', at_ms: at_ms + 1000, took_us: 1000, model: 'm', made: [[attempt, 10]] },
    ].map((line) => JSON.stringify(line))
    const [begin, end] = [
      { file: 1, offset: 0 },
      { file: 1, offset: 500 },
    ]
    ingestEngineLog(here, 'engine', id('embedded'), { file: 0, offset: 0 }, { lines, next: begin, end: true })
    engineReadTo(here, 'engine', at_ms + 5000)
    ingestJournal(here, lost, journaled([openRow(1, { at_ms }, lost)]))
    journalReadTo(here, lost, at_ms + 5000)
    drawn(here)
    nodeReadTo(there, now_ms)
    assert.equal(closed(there), 0)
    abandonNode(there, 1, now_ms)
    assert.equal(closed(there), 2)
    const borne = joules(there)
    assert.deepEqual(
      borne.map(({ account }) => account),
      ['waste/crash'],
    )
    assert(check(there).conserved)

    assert(nodeReadTo(here, now_ms + 1000))
    const rest = [
      { log: 'step', at_ms: at_ms + 2000, took_us: 1000, model: 'm', made: [[attempt, 20]] },
      {
        log: 'end',
        at_ms: at_ms + 2000,
        id: attempt,
        why: 'stop',
        count: { input_uncached: 100, cache_read: 20, output: 30 },
      },
    ].map((line) => JSON.stringify(line))
    ingestEngineLog(here, 'engine', id('embedded'), begin, { lines: rest, next: end, end: true })
    const usage = embeddedUsage(100, 20, 30)
    const close = closeRow(
      1,
      { at_ms, closed_ms: at_ms + 2000, attempts: [{ number: 1, replica: id('embedded'), usage }] },
      lost,
    )
    ingestJournal(here, lost, journaled([close], 2))
    engineReadTo(here, 'engine', now_ms)
    journalReadTo(here, lost, now_ms)
    reconcileAttempts(here)
    const found = check(here)
    assert.deepEqual([found.conserved, found.quarantined, found.engine.residual], [true, 0, '0'], JSON.stringify(found))
    assert.deepEqual(joules(here), borne, 'an interval that is posted is not divided anew')
    assert.equal(closed(here), 2)
    // Long after, what is summed says the same.
    const later_ms = now_ms + 40 * 24 * hour_ms
    nodeReadTo(here, later_ms)
    nodeReadTo(there, later_ms)
    journalReadTo(here, lost, later_ms)
    engineReadTo(here, 'engine', later_ms)
    for (let turn = 0; turn < 20; turn++) rollUp(here, first * hour_ms + hour_ms)
    const rolled = check(here)
    assert.deepEqual([rolled.conserved, rolled.rolled_up.requests], [true, 1], JSON.stringify(rolled))
    here.close()
    there.close()
  },
)
