/** Answers from the cache in the line: what they cost is taken from budgets before they leave, and nothing else is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allowance, indexed } from '../../books/allowance.ts'
import { costOf } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import { priceList } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import { usageFrom } from '../../books/usage.ts'
import type { Ask, Ending, Event, Flow, World } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import { inferenceLine } from '../../lines/inference/line.ts'
import { livePolicy } from '../../lines/inference/policy.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import { price } from '../../units/amount.ts'
import type { Incarnation, ModelId, RequestId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import { Leased } from './authority.ts'
import { usedOf } from './used.ts'

const model = id<ModelId>('m')
const version: PriceVersion = {
  version: 1,
  model,
  effective_from_ms: 0,
  perMillion: priceList(price(37_500_001n), price(150_000_003n)),
  hit_percent: 20,
  note: '',
}
const usage = usageFrom('engine', {
  input_uncached: 1000,
  cache_read: 0,
  cache_write: 0,
  output_visible: 100,
  reasoning: 0,
})
const hitCost = 10_500n // 1000 × 7.5 + 100 × 30, in nano-dollars

type Allowances = Parameters<typeof indexed>[0]

const snapshotWith = (allowances: Allowances, prices: readonly PriceVersion[] = [version]): Snapshot => ({
  number: 1,
  published_ms: 0,
  grants: new Map(),
  prices,
  allowances: indexed(allowances),
  energyPerToken_mj: new Map([[model, 5]]),
  aliases: new Map(),
  replicas: [],
  gateways: 1,
})

/** A gateway of which every engine is away. */
function gateway(name: string, snapshot: Snapshot, durable = true) {
  const rows: CloseRow[] = []
  const endings: Ending[] = []
  const told: string[] = []
  let requests = 0
  let now: Seconds = seconds(1)
  const later: (() => void)[] = []
  const world: World = {
    generate: () => assert.fail('no engine is asked'),
    cancel: () => assert.fail('nothing is there to cancel'),
    watch: () => {},
    write: () => void told.push('write'),
    release: () => void told.push('release'),
    append: (flow, row) => {
      assert(row.kind === 'close', 'nothing leaves before it, so it needs no open row')
      if (durable) rows.push(row)
      later.push(() => step(flow, { kind: durable ? 'journaled' : 'unjournaled', row: row.kind }, now))
    },
    keep: (_, row) => void rows.push(row),
    finish: (_, ending) => {
      told.push('finish')
      endings.push(ending)
    },
    wait: () => {},
  }
  const bounds = { queueLength: 100, queueTime: seconds(5), absentTime: seconds(0), leaseTime: seconds(1), attempts: 2 }
  const policy = livePolicy(bounds)
  const step = inferenceLine(policy, world)
  const grant: Grant = {
    key: id('k'),
    tenant: id('t'),
    application: id('a'),
    models: null,
    expires_ms: null,
    slo: 'standard',
  }
  const ask: Ask = {
    ...{ grant, model, promptEstimate: tokens(9), maxOutput: tokens(20), stream: true },
    ...{ slo: 'standard', clientRetry: 0, body: undefined },
  }
  const asked = (): Flow => {
    const flow = newFlow(id<RequestId>(`${name}-${++requests}`), ask, snapshot, now)
    flow.hit = { from: id('g-0'), usage, bytes: 'x' }
    step(flow, { kind: 'asked' }, now)
    return flow
  }
  return {
    name: id<Incarnation>(name),
    rows,
    endings,
    told,
    purses: policy.admitter.purses,
    asked,
    tell: (flow: Flow, event: Event): void => step(flow, event, now),
    sync: (): void => {
      for (const one of later.splice(0)) one()
    },
    pass: (time: number): void => {
      now = seconds(now + time)
    },
    now: () => now,
  }
}

const codes = (endings: readonly Ending[]): string[] =>
  endings.map((one) => (one.kind === 'refused' ? one.refusal.code : one.kind))

test('only hits are asked, of several gateways that come and die: a budget holds to the nano-dollar', () => {
  const plan = fc.record({
    budget: fc.bigInt(0n, 40n * hitCost),
    steps: fc.array(
      fc.record({ at: fc.nat(2), asks: fc.integer({ min: 1, max: 8 }), dies: fc.constantFrom(true, false, false) }),
      { minLength: 10, maxLength: 30 },
    ),
  })
  fc.assert(
    fc.property(plan, ({ budget, steps }) => {
      const of = allowance({ scope: 'key', of: 'k', unit: 'nano-USD', renews: 'never', amount: budget })
      const snapshot = snapshotWith([of])
      const keeper = new Leased(of, 0, seconds(0))
      const settled: CloseRow[] = []
      let born = 0
      const next = () => gateway(`g${++born}`, snapshot)
      const gateways = [next(), next(), next()]
      for (const { at, asks, dies } of steps) {
        const one = gateways[at] ?? assert.fail()
        const flows = Array.from({ length: asks }, one.asked)
        const wait = (): void => {
          for (const ask of one.purses.ask(one.now()))
            one.purses.granted([keeper.answer(one.name, ask, one.now())], one.now())
          for (const flow of flows) if (flow.phase === 'queued') one.tell(flow, { kind: 'turn' })
        }
        wait()
        if (!dies) {
          one.sync()
          one.pass(2)
          wait()
          continue
        }
        // What it reserved and did not journal never left: its rows are all that it used.
        settled.push(...one.rows)
        keeper.settleDead(
          one.name,
          one.rows.reduce((sum, row) => sum + usedOf(of, 0, row, version, 0n), 0n),
        )
        gateways[at] = next()
      }
      settled.push(...gateways.flatMap(({ rows }) => rows))
      const charged = settled.reduce((sum, row) => sum + costOf(row, version), 0n)
      assert.equal(charged, BigInt(settled.length) * hitCost)
      assert(charged <= budget, `${charged} of ${budget}`)
    }),
    { numRuns: 200 },
  )
})

test('one gateway uses a budget up with hits alone, and refuses the next one as it would refuse a computed answer', () => {
  const of = allowance({
    scope: 'key',
    of: 'k',
    unit: 'nano-USD',
    renews: 'never',
    amount: 5n * hitCost + hitCost - 1n,
  })
  const one = gateway('g', snapshotWith([of]))
  const keeper = new Leased(of, 0, seconds(0))
  for (let n = 0; n < 8; n++) {
    const flow = one.asked()
    for (const ask of one.purses.ask(one.now())) one.purses.granted([keeper.answer(id('g'), ask, one.now())], one.now())
    one.tell(flow, { kind: 'turn' })
    one.sync()
    one.pass(2)
    one.tell(flow, { kind: 'turn' })
  }
  assert.deepEqual(codes(one.endings), [...Array(5).fill('settled'), ...Array(3).fill('budget_exhausted')])
  assert.equal(one.purses.left(of, one.now()), hitCost - 1n)
})

test('a hit whose client leaves while it waits for a lease costs nothing', () => {
  const of = allowance({ scope: 'key', of: 'k', unit: 'nano-USD', renews: 'never', amount: 5n * hitCost })
  const one = gateway('g', snapshotWith([of]))
  const flow = one.asked()
  assert.equal(flow.phase, 'queued')
  one.tell(flow, { kind: 'client_closed' })
  one.tell(flow, { kind: 'turn' })
  assert.deepEqual([codes(one.endings), one.rows], [['left'], []])
})

test('it takes no requests, no tokens, no joules and no place; free, it takes nothing, with or without a price', () => {
  const limits = (['requests', 'tokens', 'mJ'] as const).map((unit) =>
    allowance({ scope: 'key', of: 'k', unit, renews: 'day', amount: 0n }),
  )
  const places = allowance({ scope: 'key', of: 'k', unit: 'concurrent', renews: 'release', amount: 0n })
  const budget = allowance({ scope: 'key', of: 'k', unit: 'nano-USD', renews: 'never', amount: 0n })
  const { hit_percent: _, ...free } = version
  for (const [snapshot, ends] of [
    [snapshotWith([...limits, places]), 'settled'],
    [snapshotWith([...limits, places, budget], [free]), 'settled'],
    [snapshotWith([budget], []), 'settled'],
    [snapshotWith([budget]), 'request_too_large_for_limit'],
  ] as const) {
    const one = gateway('g', snapshot)
    one.asked()
    one.sync()
    assert.deepEqual(codes(one.endings), [ends])
    for (const of of limits)
      for (const row of one.rows) assert.equal(usedOf(of, 0, { ...row, at_ms: 0 }, version, 0n), 0n)
  }
})

test('nothing leaves before its row is durable; a journal that fails is told, and nothing is charged', () => {
  const one = gateway('g', snapshotWith([]))
  one.asked()
  assert.deepEqual(one.told, [])
  one.sync()
  assert.deepEqual(one.told, ['release', 'write', 'finish'])
  const bad = gateway('g', snapshotWith([]), false)
  bad.asked()
  bad.sync()
  assert.deepEqual(bad.told, ['finish'])
  const [row] = bad.rows
  assert(row?.outcome === 'journal_unavailable')
  assert.equal(costOf(row, version), 0n)
  assert.equal(costOf(one.rows[0] ?? assert.fail(), version), hitCost)
})
