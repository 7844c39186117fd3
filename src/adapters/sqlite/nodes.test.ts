import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { LeaseAsk } from '../../lines/inference/lease.ts'
import { id } from '../../units/ids.ts'
import { watts } from '../../units/quantity.ts'
import type { Home } from '../files/home.ts'
import { PostgresDatabase } from '../postgres/postgres-database.ts'
import { insertCounted } from './counted.ts'
import { ingestJournal, journalReadTo, journalsReadTo, noteJournal } from './ingest.ts'
import { Leases } from './leases.ts'
import { openMeter } from './meter.ts'
import { abandonNode, gatewaysOfAll, isFirst, joinNodes, leaveNodes, listNodes, nodeReadTo } from './nodes.ts'
import { all, one } from './query.ts'
import { setAllowance } from './registry/allowances.ts'
import { seed } from './registry/seed.ts'
import { wireSnapshot } from './registry/snapshot.ts'
import { createApplication } from './registry/tenants.ts'
import { openStore } from './store.ts'
import { StoreError } from './store-error.ts'
import { beginAfterOthers } from './take-over.ts'
import { besides, closeRow, gateway, journaled, ofSeveral, openRow, setTestPrice, testHome } from './testing.ts'

const faultIs = (fault: string) => (error: unknown) => error instanceof StoreError && error.fault === fault

const budget = { scope: 'tenant', of: 'acme', unit: 'nano-USD', renews: 'never', amount: 10_000_000n } as const
const askOf = (allowance: string, want: bigint, more: Partial<LeaseAsk> = {}): LeaseAsk => ({
  ...{ allowance, period: 0, free: 0n, reserved: 0n, returned: 0n, want, ahead: 0n },
  ...more,
})

test(
  'homes share a store, one of them leads; the next one when it is gone; who wants it alone is refused',
  ofSeveral,
  () => {
    using home = testHome()
    using other = besides(home)
    const [first, second] = [openStore(home), openStore(other)]
    assert.deepEqual([first.leads(), second.leads(), first.leads()], [true, false, true])
    assert.throws(() => openStore(other), faultIs('locked'), 'a home has one operator')
    using third = besides(home)
    assert.throws(() => openStore(third, { alone: true }), faultIs('locked'))
    first.close()
    assert.equal(second.leads(), true)
    second.close()
    const alone = openStore(third, { alone: true })
    assert.throws(() => openStore(home), faultIs('locked'))
    alone.close()
  },
)

test('writers take turns, and who waits in vain is not in a transaction afterwards', ofSeveral, () => {
  using home = testHome()
  const store = openStore(home)
  const other = new PostgresDatabase(home.database ?? '', { statement_ms: 300 })
  store.transaction(() => assert.throws(() => other.exec(beginAfterOthers), /timeout/))
  assert.equal(other.inTransaction, false)
  other.exec(beginAfterOthers)
  other.exec('commit')
  other.close()
  store.close()
})

test('two operators grant of one budget at the same time, and never more than it is', ofSeveral, async () => {
  using home = testHome()
  using other = besides(home)
  const store = openStore(home)
  const { id: allowance } = setAllowance(store, budget, 1)
  store.close()
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const grantedTo = ({ root }: Home, who: string): Promise<bigint> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('testing-lease-worker.ts', import.meta.url), {
        workerData: { root, who, allowance, want: 70_001n, gate },
      })
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  const sums = await Promise.all([grantedTo(home, 'a'), grantedTo(other, 'b')])
  assert(sums.every((sum) => sum > 0n))
  assert.equal(
    sums.reduce((a, b) => a + b, 0n),
    budget.amount,
  )
})

test('what one holds may still come back for the other, and is called back over all operators', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [first, second] = [openStore(home), openStore(other)]
  const { id: allowance } = setAllowance(first, budget, 1)
  const [here, there] = [new Leases(first), new Leases(second)]
  assert.equal(here.answer(id('a'), [askOf(allowance, 9_000_000n)], 1000).grants[0]?.amount, 9_000_000n)
  const [short] = there.answer(id('b'), [askOf(allowance, 2_000_000n)], 1000).grants
  assert.deepEqual([short?.amount, short?.exhausted], [1_000_000n, false], 'the other gateway has spent nothing yet')
  const { recalls } = here.answer(id('a'), [], 1000)
  assert.deepEqual(recalls, [{ allowance, period: 0 }])
  here.answer(id('a'), [askOf(allowance, 0n, { returned: 5_000_000n })], 1100)
  assert.equal(there.left({ ...budget, id: allowance }, 1100), 5_000_000n)
  // An operator whose journals nobody reads is away: what its gateway holds is not promised to anybody.
  noteJournal(first, id('a'))
  journalReadTo(first, id('a'), 2000)
  here.answer(id('a'), [askOf(allowance, 0n, { free: 4_000_000n })], 2000)
  const wants = [askOf(allowance, 9_000_000n)]
  assert.equal(there.answer(id('b'), wants, 3000).grants[0]?.exhausted, false)
  assert.equal(there.answer(id('b'), wants, 20_000).grants[0]?.exhausted, true)
  first.close()
  second.close()
})

test('a rate is refilled by the clock of the database, whatever the clocks of the operators say', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [first, second] = [openStore(home), openStore(other)]
  const rate = { ...budget, unit: 'tokens', renews: 'minute', amount: 60_000n } as const
  const { id: allowance } = setAllowance(first, rate, 1)
  const began = performance.now()
  let granted = 0n
  // Ten seconds ahead of the other one: asked in turns, each change would give ten seconds more.
  for (let turn = 0; turn < 20; turn++) {
    const [store, now_ms] = turn % 2 ? [second, 1_010_000] : [first, 1_000_000]
    granted += new Leases(store).answer(id('a'), [askOf(allowance, 60_000n)], now_ms).grants[0]?.amount ?? 0n
  }
  const most = 60_000 + (performance.now() - began + 100)
  assert(granted >= 60_000n && Number(granted) <= most, `${granted} of ${most}`)
  first.close()
  second.close()
})

test(
  'the first home has the embedded engine; the others serve what has an address, and share its limits',
  ofSeveral,
  () => {
    using home = testHome()
    using other = besides(home)
    const [first, second] = [openStore(home), openStore(other)]
    const [one, two] = [joinNodes(first, 2, 1000), joinNodes(second, 3, 1000)]
    assert.deepEqual([one.number, two.number, isFirst(first), isFirst(second)], [1, 2, true, false])
    const wanted = { slots: 4, starter: undefined }
    seed(first, { ...wanted, inside: true, gateways: gatewaysOfAll(first) }, 1000)
    seed(second, { ...wanted, slots: 9, inside: false, gateways: gatewaysOfAll(second) }, 1000)
    createApplication(first, 'acme', 'app', 1)
    const [mine, its] = [wireSnapshot(first, 2000), wireSnapshot(second, 2000)]
    assert.equal(mine.number, its.number)
    assert.deepEqual(
      [mine.engines.map(({ name, concurrency }) => [name, concurrency]), its.engines],
      [[['embedded', 4]], []],
    )
    assert.equal(its.gateways, 5)
    leaveNodes(second, 3000)
    assert.deepEqual(
      listNodes(first).map(({ number, read_to_ms }) => [number, read_to_ms]),
      [
        [1, 1000],
        [2, null],
      ],
    )
    assert.equal(joinNodes(second, 3, 4000).number, 2, 'a home keeps its number')
    first.close()
    second.close()
  },
)

test('nothing is closed before every home has said which journals it has, however long it is away', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [first, second] = [openStore(home), openStore(other)]
  joinNodes(first, 1, 1000)
  joinNodes(second, 1, 1000)
  noteJournal(first, gateway)
  journalReadTo(first, gateway, 9000)
  nodeReadTo(first, 9000)
  assert.equal(journalsReadTo(first), 1000)
  nodeReadTo(second, 8000)
  assert.equal(journalsReadTo(first), 8000)
  leaveNodes(second, 8500)
  nodeReadTo(second, 8600) // a last turn after it was said
  assert.equal(journalsReadTo(first), 9000)
  first.close()
  second.close()
})

test(
  'a home that is lost is given up by hand: not one that was just heard of, nor one that was stopped',
  ofSeveral,
  () => {
    using home = testHome()
    using other = besides(home)
    const [first, second] = [openStore(home), openStore(other)]
    joinNodes(first, 1, 1000)
    joinNodes(second, 1, 1000)
    noteJournal(first, gateway)
    journalReadTo(first, gateway, 900_000)
    nodeReadTo(first, 900_000)
    assert.throws(() => abandonNode(first, 3, 900_000), { fault: 'not_found' })
    assert.throws(() => abandonNode(first, 1, 900_000), /heard of 0 s ago/, 'itself')
    assert.throws(() => abandonNode(first, 2, 120_999), /heard of 120 s ago/)
    assert.equal(journalsReadTo(first), 1000)
    abandonNode(first, 2, 900_000)
    assert.equal(journalsReadTo(first), 900_000)
    assert.throws(() => abandonNode(first, 2, 900_000), /was given up already/)
    joinNodes(second, 1, 950_000)
    assert(nodeReadTo(second, 950_000), 'it is told')
    assert(!nodeReadTo(second, 950_000), 'once')
    assert.equal(journalsReadTo(first), 900_000, 'it came back')
    leaveNodes(second, 960_000)
    assert.throws(() => abandonNode(first, 2, 1_960_000), /was stopped/)
    first.close()
    second.close()
  },
)

test('what gateways of either home journaled is in the same books, once', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [first, second] = [openStore(home), openStore(other)]
  setTestPrice(first)
  const rows = journaled([openRow(1), closeRow(1)])
  const theirs = journaled([openRow(1, {}, id('gw2')), closeRow(1, {}, id('gw2'))])
  ingestJournal(first, gateway, rows)
  ingestJournal(second, id('gw2'), theirs)
  ingestJournal(second, id('gw2'), theirs)
  assert.equal(one<{ n: number }>(first.database, 'select count(*) as n from request')?.n, 2)
  assert.deepEqual(all(second.database, "select sum(amount) as sum from balance where unit = 'nano-USD'"), [{ sum: 0 }])
  const numbers = all<{ booked: number }>(first.database, 'select booked from request order by booked')
  assert.deepEqual(numbers, [{ booked: 1 }, { booked: 2 }], 'bookings are numbered over both')
  first.close()
  second.close()
})

test('a meter that another home goes on with counts no joule twice', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [first, second] = [openStore(home), openStore(other)]
  let energy = 0
  const reader = {
    meter: 'board',
    idle: watts(10),
    read: () => ({ kind: 'energy_counter', energy_uj: energy, wraps_at_uj: 0 }) as const,
  }
  const sampled = (store: typeof first, folder: string, at: readonly number[]): void => {
    const meter = openMeter(store, folder, reader)
    for (const second of at) {
      energy = second * 5_000_000
      meter.sample(second * 1000)
    }
    meter.close()
  }
  sampled(first, home.meters, [1, 2, 3])
  sampled(second, other.meters, [4, 5, 6])
  sampled(first, home.meters, [7, 8])
  const booked = all<{ from_ms: number; to_ms: number }>(
    first.database,
    'select from_ms, to_ms from meter_interval order by from_ms',
  )
  assert(booked.length >= 4)
  for (const [place, { from_ms }] of booked.entries())
    assert(from_ms >= (booked[place - 1]?.to_ms ?? 0), `the interval from ${from_ms} begins within another`)
  const look = { engine: id('gpu'), prompt: 5, output: 5, cached: false } as const
  insertCounted(first, { ...look, from_ms: 1000, to_ms: 6000 } as never)
  insertCounted(second, { ...look, from_ms: 4000, to_ms: 9000 } as never)
  insertCounted(second, { ...look, from_ms: 9000, to_ms: 14_000 } as never)
  assert.deepEqual(all(first.database, 'select to_ms from engine_counted order by to_ms'), [
    { to_ms: 6000 },
    { to_ms: 14_000 },
  ])
  first.close()
  second.close()
})
