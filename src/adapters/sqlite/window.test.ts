import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloseRow } from '../../books/row.ts'
import { usageFrom } from '../../books/usage.ts'
import { millijoules } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { receipt } from './answers.ts'
import { transferOf } from './books.ts'
import { check } from './check.ts'
import { closeIntervals } from './close-intervals.ts'
import { closeLooks } from './close-looks.ts'
import { insertCounted } from './counted.ts'
import { floorOf } from './figures.ts'
import { ingestJournal, journalReadTo } from './ingest.ts'
import { insertInterval } from './intervals.ts'
import type { StoredTransfer } from './ledger.ts'
import { allBig } from './query.ts'
import type { Store } from './store.ts'
import { closeRow, gateway, journaled, measuredStore, openRow, testHome } from './testing.ts'

const start_ms = 20_000 * 86_400_000
const gpu = id<never>('gpu')

/** A request on a measured engine: from and until as seconds after the start. */
function served(number: number, from_s: number, until_s: number, more: Partial<CloseRow> = {}): CloseRow {
  const at_ms = start_ms + from_s * 1000
  const usage = usageFrom('provider', { input_uncached: 200, cache_read: 0, output_visible: 100 })
  return closeRow(number, {
    at_ms,
    closed_ms: start_ms + until_s * 1000,
    ttft_ms: 400,
    stream: true,
    attempts: [{ number: 1, replica: gpu, usage }],
    ...more,
  })
}

/** A board that draws 500 J a second, 100 J of it at rest. */
function draw(store: Store, sequences: readonly number[]): void {
  for (const sequence of sequences)
    insertInterval(store, {
      meter: 'board',
      sequence,
      from_ms: start_ms + (sequence - 1) * 1000,
      to_ms: start_ms + sequence * 1000,
      energy: millijoules(500_000n),
      idle: millijoules(100_000n),
      grade: 'measured',
      reset: false,
    })
}

const ledger = (store: Store) =>
  allBig<StoredTransfer>(store.database, "select * from transfer where unit = 'mJ' order by at_ms, id").map(transferOf)

test('an engine elsewhere that a board meter measures: joules by window, when all of the interval is settled, to the millijoule', () => {
  using home = testHome()
  const store = measuredStore(home)
  const rows = [served(1, 1, 4), served(2, 2, 6, { outcome: 'upstream_error' }), served(3, 2.5, 3.5)]
  const hosted = served(4, 1, 6, {
    attempts: [{ ...served(4, 1, 6).attempts[0], number: 1, replica: id('list') } as never],
  })
  const [late, ...early] = [served(5, 5, 9), ...rows, hosted]
  const opened = openRow(5, { at_ms: late.at_ms })
  const of = (row: CloseRow) => [
    openRow(Number.parseInt(row.id.split('-').at(-1) ?? '', 36), { at_ms: row.at_ms }),
    row,
  ]
  ingestJournal(store, gateway, journaled([...early.flatMap(of), opened]))
  draw(store, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])

  closeIntervals(store, start_ms + 60_000)
  assert.equal(ledger(store).length, 0, 'the journal has not been read past them')
  journalReadTo(store, gateway, start_ms + 60_000)
  closeIntervals(store, start_ms + 60_000)
  assert.equal(
    Math.max(...ledger(store).map(({ at_ms }) => at_ms)),
    start_ms + 5000,
    'the fifth request may have worked since',
  )

  ingestJournal(store, gateway, journaled([late], 10))
  closeIntervals(store, start_ms + 61_000)
  const posted = ledger(store)
  const of_mj = (fits: (one: (typeof posted)[number]) => boolean): number =>
    Number(posted.filter(fits).reduce((sum, { amount }) => sum + amount, 0n))
  assert.equal(
    of_mj(() => true),
    5_000_000,
  )
  assert.equal(
    of_mj(({ request }) => request === null),
    10 * 100_000 + 2 * 400_000,
    'at rest, and in the two seconds without work',
  )
  assert(of_mj(({ to }) => to === 'waste/upstream_error') > 0)
  assert.equal(
    of_mj(({ request }) => request === hosted.id),
    0,
  )
  assert(of_mj(({ request }) => request === rows[0]?.id) > of_mj(({ request }) => request === rows[2]?.id))

  const energy = (row: CloseRow) => {
    const found = receipt(store, row.id)
    return found?.state === 'settled' ? found.energy : undefined
  }
  assert.deepEqual(
    [rows[0], hosted].map((row) => row && [energy(row)?.attribution.grade, energy(row)?.grade, energy(row)?.final]),
    [
      ['window', 'measured', true],
      ['list', 'unknown', false],
    ],
  )
  assert.equal(energy(hosted)?.energy_mj, null)
  assert.deepEqual(check(store).first_broken, undefined)
  store.database.exec("update window_work set tokens = tokens + 5 where attempt like '%-1/1' and sequence = 3")
  assert.match(check(store).first_broken?.id ?? '', /^board\/3\//)
  store.close()
})

test('tokens that its counters show beyond our requests are waste by cause foreign, and bear their joules', () => {
  using home = testHome()
  const store = measuredStore(home)
  const row = served(1, 1, 4)
  ingestJournal(store, gateway, journaled([openRow(1, { at_ms: row.at_ms }), row]))
  journalReadTo(store, gateway, start_ms + 60_000)
  draw(store, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  const look = { engine: gpu, cached: true } as const
  const [first, second] = [start_ms + 5000, start_ms + 10_000]
  insertCounted(store, { ...look, from_ms: start_ms, to_ms: first, prompt: 200, output: 100 })
  closeLooks(store, start_ms + 12_000)
  closeIntervals(store, start_ms + 12_000)
  assert.equal(Math.max(...ledger(store).map(({ at_ms }) => at_ms)), first, 'the next look is waited for')

  insertCounted(store, { ...look, from_ms: first, to_ms: second, prompt: 3000, output: 500 })
  closeLooks(store, start_ms + 13_000)
  closeIntervals(store, start_ms + 13_000)
  const to = (account: string): bigint =>
    ledger(store).reduce((sum, one) => sum + (one.to === account ? one.amount : 0n), 0n)
  assert.equal(to('waste/foreign'), 5n * 400_000n, 'the five seconds in which nobody of ours was there')
  assert.equal(to('tenant/acme/support'), 3n * 400_000n)
  const tokens = allBig<{ credit: string; amount: bigint }>(
    store.database,
    "select credit, amount from transfer where unit = 'token' and request is null order by credit",
  )
  assert.deepEqual(
    tokens.map(({ credit, amount }) => [credit, amount]),
    [
      ['waste/foreign/input_uncached', 3000n],
      ['waste/foreign/output_visible', 500n],
    ],
  )
  assert.deepEqual(check(store).first_broken, undefined)
  store.close()
})

test("the idle floor is learned from intervals in which nobody worked; before, all energy is the work's", () => {
  using home = testHome()
  const store = measuredStore(home)
  const rows = [served(1, 0, 2), served(2, 4, 5)]
  ingestJournal(store, gateway, journaled(rows.flatMap((row, at) => [openRow(at + 1, { at_ms: row.at_ms }), row])))
  journalReadTo(store, gateway, start_ms + 60_000)
  const powers = [500, 500, 120, 90, 500]
  for (const [at, power] of powers.entries())
    insertInterval(store, {
      meter: 'board',
      sequence: at + 1,
      from_ms: start_ms + at * 1000,
      to_ms: start_ms + (at + 1) * 1000,
      energy: millijoules(BigInt(power * 1000)),
      idle: millijoules(0n),
      grade: 'measured',
      reset: false,
    })
  closeIntervals(store, start_ms + 60_000)
  const idle = allBig<{ idle_mj: bigint }>(store.database, 'select idle_mj from meter_interval order by sequence')
  assert.deepEqual(
    idle.map(({ idle_mj }) => Number(idle_mj)),
    [0, 0, 120_000, 90_000, 90_000],
  )
  const to = (account: string): number =>
    ledger(store).reduce((sum, one) => sum + (one.to === account ? Number(one.amount) : 0), 0)
  assert.deepEqual([to('tenant/acme/support'), to('idle/shared-pool')], [1_410_000, 300_000])
  assert.equal(floorOf(store, 'board'), 90)
  assert.deepEqual(check(store).first_broken, undefined)
  store.close()
})
