/** Prices by site in the line: the most is reserved where it may be answered, and what is charged is the price of who answered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allowance, indexed } from '../../books/allowance.ts'
import { chargesOf, costOf } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import { priceAt, priceList, total } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import { siteOf } from '../../books/row.ts'
import type { SloClass } from '../../books/slo-class.ts'
import { usageFrom } from '../../books/usage.ts'
import { Admitter } from '../../lines/inference/admit.ts'
import type { Ask, Ending, Flow, Policy, World } from '../../lines/inference/flow.ts'
import { newFlow } from '../../lines/inference/flow.ts'
import { inferenceLine } from '../../lines/inference/line.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import { price } from '../../units/amount.ts'
import type { ModelId, RequestId, SiteId, TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import { usedOf } from './used.ts'

const model = id<ModelId>('m')
const [tenant, north, west] = [id<TenantId>('t'), id<SiteId>('eu-north'), id<SiteId>('us-west')]
const now = seconds(100)

const priced = (version: number, nano: number, more: Partial<PriceVersion> = {}): PriceVersion => ({
  version,
  model,
  effective_from_ms: 0,
  perMillion: priceList(price(BigInt(nano)), price(BigInt(3 * nano))),
  hit_percent: 20,
  note: '',
  ...more,
})

const replica = (name: string, site?: SiteId): Replica => ({
  ...{ id: id(name), vendor: 'openai', models: { m: 'up' }, concurrency: 99, draining: false },
  ...(site && { site }),
})
const fleet = [replica('here'), replica('north', north), replica('west', west)] as const

type Allowances = Parameters<typeof indexed>[0]

const snapshotOf = (prices: readonly PriceVersion[], allowances: Allowances, replicas = fleet.slice()): Snapshot => ({
  ...{ number: 1, published_ms: 0, grants: new Map(), prices, allowances: indexed(allowances), replicas, gateways: 1 },
  ...{ energyPerToken_mj: new Map(), aliases: new Map() },
})

/** A line whose engines are chosen by the test, one after the other. */
function lineOf(snapshot: Snapshot, budget?: bigint) {
  const rows: CloseRow[] = []
  const endings: Ending[] = []
  const bounds = { queueLength: 9, queueTime: seconds(5), absentTime: seconds(0), leaseTime: seconds(1), attempts: 9 }
  const admitter = new Admitter(bounds)
  const next: Replica[] = []
  const nothing = (): undefined => undefined
  const policy: Policy = {
    admit: (flow, at) => admitter.admit(flow, () => 'free', at),
    route: () => next.shift(),
    hedge: () => ({ replica: next.shift() ?? assert.fail('no rival'), why: { after_ms: 1, expected_ms: 1 } }),
    extend: (flow, more, at) => admitter.extend(flow, more, at),
    settle: (flow, outcome, at) => admitter.settle(flow, outcome, at),
    retries: () => next.length > 0,
    ...{
      choice: nothing,
      patience: nothing,
      exchanged: nothing,
      begun: nothing,
      first: nothing,
      lost: nothing,
      left: nothing,
    },
  }
  const world: World = {
    ...{
      generate: nothing,
      cancel: nothing,
      watch: nothing,
      write: nothing,
      release: nothing,
      keep: nothing,
      wait: nothing,
    },
    append: (_, row) => void (row.kind === 'close' && rows.push(row)),
    finish: (_, ending) => void endings.push(ending),
  }
  const step = inferenceLine(policy, world)
  const granted = (): void =>
    admitter.purses.granted(
      admitter.purses.ask(now).map(({ allowance: of, period }) => {
        const amount = budget ?? 0n
        budget = 0n
        return { allowance: of, period, amount, left: 0n, exhausted: true, retry_ms: null }
      }),
      now,
    )
  let number = 0
  const ask = (slo: SloClass = 'standard', more: Partial<Ask> = {}, hit?: Flow['hit']): Flow => {
    const grant: Grant = { key: id('k'), tenant, application: id('a'), models: null, expires_ms: null, slo }
    const asked = { grant, model, promptEstimate: tokens(100), maxOutput: tokens(50), stream: true, slo, ...more }
    const flow = newFlow(id<RequestId>(`gw-${++number}`), { clientRetry: 0, body: undefined, ...asked }, snapshot, now)
    flow.hit = hit
    step(flow, { kind: 'asked' }, now)
    if (flow.phase === 'queued') {
      granted()
      step(flow, { kind: 'turn' }, now)
    }
    return flow
  }
  return { step, ask, rows, endings, next, admitter }
}

const usage = (input: number, output: number) =>
  usageFrom('engine', { input_uncached: input, cache_read: 0, cache_write: 0, output_visible: output, reasoning: 0 })
const dollars = (amount: bigint) => allowance({ scope: 'key', of: 'k', unit: 'nano-USD', renews: 'never', amount })
const failure = { fault: 'unreachable', message: '' } as const

test('what is reserved is the price of the dearest site where it may be answered', () => {
  const prices = [
    priced(1, 1_000_000),
    priced(2, 5_000_000, { site: north }),
    priced(3, 90_000_000, { site: id('moon') }),
  ]
  const budget = dollars(10_000n)
  // 100 in and 50 out: 100 × 5 + 50 × 15 at the north, where nobody knows yet that it will not be.
  const line = lineOf(snapshotOf(prices, [budget]), budget.amount)
  line.next.push(fleet[0])
  const flow = line.ask()
  assert.deepEqual(
    flow.holds?.map(({ amount }) => amount),
    [1250n],
  )
  // It is answered here: what it needs from now on is counted at the price of here, and the rest comes back.
  line.step(flow, { kind: 'chunk', attempt: 1, tokens: tokens(1), bytes: '' }, now)
  line.step(flow, { kind: 'ended', attempt: 1, usage: usage(100, 10) }, now)
  assert.equal(line.rows[0]?.price_version, 1)
  assert.equal(line.admitter.purses.left(budget, now), budget.amount - 130n)
  // Two thousand tokens would be beyond the budget at the north, and are not here.
  line.next.push(fleet[0])
  const long = line.ask()
  line.step(long, { kind: 'chunk', attempt: 1, tokens: tokens(2000), bytes: '' }, now)
  line.step(long, { kind: 'ended', attempt: 1, usage: usage(100, 2000) }, now)
  assert.deepEqual([line.rows[1]?.outcome, line.rows[1]?.attempts[0]?.unbilled], ['complete', undefined])
  // Without an engine at the north its price binds nobody.
  const less = lineOf(snapshotOf(prices, [budget], [fleet[0], fleet[2]]), budget.amount)
  less.next.push(fleet[0])
  assert.deepEqual(
    less.ask().holds?.map(({ amount }) => amount),
    [250n],
  )
})

test('a budget in dollars needs a price at every site where it may be answered', () => {
  const some = [priced(1, 1_000_000, { site: north }), priced(2, 1_000_000, { site: id('main') })]
  const refused = lineOf(snapshotOf(some, [dollars(10_000n)]), 10_000n)
  refused.ask()
  const [ending] = refused.endings
  assert(ending?.kind === 'refused' && ending.refusal.code === 'price_unknown', 'at us-west it would be free')
  const all = lineOf(snapshotOf([...some, priced(3, 1_000_000, { site: west })], [dollars(10_000n)]), 10_000n)
  all.next.push(fleet[2])
  assert.equal(all.ask().phase, 'generating')
})

test('a hedge is billed once, at the price of the site whose attempt answered first', () => {
  const prices = [priced(1, 1_000_000), priced(2, 5_000_000, { site: north }), priced(3, 7_000_000, { site: west })]
  for (const winner of [1, 2] as const) {
    const budget = dollars(100_000n)
    const line = lineOf(snapshotOf(prices, [budget]), budget.amount)
    line.next.push(fleet[1], fleet[2])
    const flow = line.ask()
    line.step(flow, { kind: 'late', attempt: 1 }, now)
    line.step(flow, { kind: 'chunk', attempt: winner, tokens: tokens(1), bytes: '' }, now)
    line.step(flow, { kind: 'ended', attempt: winner, usage: usage(100, 10) }, now)
    line.step(flow, { kind: 'ended', attempt: 3 - winner, usage: usage(100, 1) }, now)
    const [row] = line.rows
    assert(row)
    const [site, version, cost] = winner === 1 ? [north, 2, 650n] : [west, 3, 910n]
    assert.deepEqual([siteOf(row), row.price_version, costOf(row, prices[version - 1])], [site, version, cost])
    assert.equal(line.admitter.purses.left(budget, now), budget.amount - cost)
  }
})

const lists = fc.array(
  fc.record({
    nano: fc.integer({ min: 0, max: 9_000_000_000 }),
    slo: fc.constantFrom(undefined, 'batch' as const),
    site: fc.constantFrom(undefined, north, west, id<SiteId>('main')),
    tenant: fc.constantFrom(undefined, tenant, id<TenantId>('other')),
  }),
  { maxLength: 12 },
)
const story = fc.record({
  slo: fc.constantFrom('standard' as const, 'batch' as const),
  stream: fc.boolean(),
  hit: fc.constantFrom(undefined, undefined, { site: undefined }, { site: north }),
  /** Engines that fail before the one that answers. */
  failed: fc.array(fc.nat(2), { maxLength: 2 }),
  answers: fc.nat(2),
  rival: fc.option(fc.nat(2), { nil: undefined }),
  rivalWins: fc.boolean(),
  said: fc.integer({ min: 0, max: 80 }),
  input: fc.integer({ min: 1, max: 400 }),
  ends: fc.constantFrom('ended', 'ended', 'failed', 'left'),
})
type Story = typeof story extends fc.Arbitrary<infer S> ? S : never

/** A request from its beginning to its row, whatever happens to it. */
function told(line: ReturnType<typeof lineOf>, { slo, stream, hit, failed, answers, ...of }: Story): void {
  const to = (at: number): Replica => fleet[at] ?? assert.fail()
  line.next.splice(0)
  line.next.push(...failed.map(to), to(answers))
  if (of.rival !== undefined) line.next.push(to(of.rival))
  const found = hit && {
    from: id<RequestId>('gw-0'),
    ...(hit.site && { site: hit.site }),
    usage: usage(99, 9),
    bytes: '',
  }
  const flow = line.ask(slo, { stream }, found)
  if (flow.phase !== 'generating') return
  let attempt = 1
  for (const _ of failed) line.step(flow, { kind: 'failed', attempt: attempt++, failure, usage: undefined }, now)
  const first = attempt
  if (of.rival !== undefined) {
    line.step(flow, { kind: 'late', attempt }, now)
    if (of.rivalWins) attempt++
  }
  line.step(flow, { kind: 'begun', attempt, input_uncached: tokens(of.input), cache_read: tokens(0) }, now)
  for (let said = 0; said < of.said && stream; said++)
    line.step(flow, { kind: 'chunk', attempt, tokens: tokens(1), bytes: '' }, now)
  if (of.said > 0 && !stream) line.step(flow, { kind: 'chunk', attempt, tokens: tokens(of.said), bytes: '' }, now)
  if (of.ends === 'left') line.step(flow, { kind: 'client_closed' }, now)
  const end = usage(of.input, of.said)
  line.next.splice(0)
  if (of.ends === 'failed') line.step(flow, { kind: 'failed', attempt, failure, usage: end }, now)
  else line.step(flow, { kind: 'ended', attempt, usage: end }, now)
  for (const other of [first, first + 1])
    if (other !== attempt) line.step(flow, { kind: 'ended', attempt: other, usage: usage(of.input, 1) }, now)
}

test('whatever happens: the row names the price of the site that answered, its charge is what budgets gave, and no more', () => {
  let [sites, cut] = [new Set<SiteId | undefined>(), 0]
  fc.assert(
    fc.property(lists, fc.array(story, { minLength: 1, maxLength: 12 }), fc.nat(4_000_000), (given, stories, most) => {
      const prices = [
        priced(1, 1_000_000),
        ...given.map(({ nano, slo, site, tenant: of }, at) =>
          priced(at + 2, nano, { ...(slo && { slo }), ...(site && { site }), ...(of && { tenant: of }) }),
        ),
      ]
      const budget = dollars(BigInt(most))
      const line = lineOf(snapshotOf(prices, [budget]), budget.amount)
      for (const one of stories) told(line, one)
      let spent = 0n
      for (const row of line.rows) {
        const slo = stories[Number(row.id.slice(3)) - 1]?.slo
        const site = siteOf(row)
        const right = priceAt(prices, { model, slo, tenant, site }, row.at_ms)
        assert.equal(row.price_version, right?.version ?? null)
        const used = usedOf(budget, 0, row, right, 0n)
        assert.equal(used, total(chargesOf(row, right)))
        spent += used
        sites.add(site)
        if (row.outcome === 'budget_exhausted' || row.attempts.at(-1)?.unbilled) cut++
      }
      assert(spent <= budget.amount, `${spent} of ${budget.amount}`)
      const started = line.admitter.purses.left(budget, now)
      assert.equal(started, budget.amount - spent, 'what budgets lost is what rows are charged')
    }),
    { numRuns: 400 },
  )
  assert(sites.size >= 3 && cut > 20, `${sites.size} sites, ${cut} cut short`)
})
