import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanoDollars } from '../units/amount.ts'
import { attemptId, id } from '../units/ids.ts'
import type { Account, Transfer } from './account.ts'
import { accounts } from './account.ts'
import { chipTime, type WorkedSecond } from './chip-time.ts'
import { type CostDeclaration, costBetween, inForce, perHourSpans } from './cost.ts'
import { costAnswer } from './cost-answer.ts'
import { borneBy, borneOf, energyCost, type HourCost, hour_ms, postHour } from './cost-hour.ts'
import { placings } from './cost-place.ts'
import { bearing, bearingsOf } from './cost-share.ts'
import type { CloseRow } from './row.ts'
import { usageFrom } from './usage.ts'

/** A number in [0, below), the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 12345) >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const row = (number: number, more: Partial<CloseRow> = {}): CloseRow => ({
  kind: 'close',
  id: id(`gw-${number}`),
  tenant: id(`t${number % 3}`),
  application: id('a/b'),
  key: id(`k${number % 2}`),
  model: id('m'),
  price_version: null,
  snapshot: 1,
  at_ms: 0,
  closed_ms: 10,
  queued_ms: 0,
  ttft_ms: 1,
  stream: true,
  outcome: 'complete',
  attempts: [
    {
      number: 1,
      replica: id('gpu'),
      usage: usageFrom('engine', { input_uncached: 7, cache_read: 50, output_visible: 5, reasoning: 3 }),
    },
  ],
  ...more,
})

const at = (number: number): ReturnType<typeof attemptId> => attemptId(id(`gw-${number}`), 1)

const worked = (second: number, number: number, tokens: number): WorkedSecond => ({
  second,
  attempt: at(number),
  replica: id('gpu'),
  model: 'm',
  tokens,
  did: { step_e9: 1e9, prefill: 0, prefill_context: 0, decode: tokens, kv_read: 0 },
  cpu_us: 0,
})

test("an engine's time is held by those who worked, to the nanosecond, and by nobody else", () => {
  for (let seed = 0; seed < 200; seed++) {
    const roll = dice(seed)
    const seconds = Array.from({ length: 1 + roll(20) }, (_, second) => second).filter(() => roll(3) > 0)
    const all = seconds.flatMap((second) =>
      Array.from({ length: 1 + roll(5) }, (_, number) => worked(second, number, 1 + roll(9))),
    )
    const { busy_s, held } = chipTime(all, [])
    const sum = [...held.values()].reduce((total, { ns }) => total + ns, 0n)
    assert.equal(sum, BigInt(seconds.length) * 1_000_000_000n, `seed ${seed}`)
    assert.equal(busy_s, seconds.length, `seed ${seed}`)
  }
})

test('an hour is posted to the nano-dollar, and whatever is learned later is a correction to the new truth', () => {
  for (let seed = 0; seed < 300; seed++) {
    const roll = dice(seed)
    const source = accounts.capacity('gpu')
    const cost = (): HourCost => ({
      source,
      hour: 5,
      unit: 'nano-USD',
      amount: BigInt(roll(1_000_000_000)),
      bearings: [
        ...Array.from({ length: roll(6) }, (_, n) => bearingsOf(row(n), at(n), BigInt(roll(1000)))).flat(),
        bearing(accounts.idleCost(accounts.idle()), BigInt(1 + roll(1000))),
      ],
    })
    const posted: Transfer[] = []
    for (let revision = 0; revision < 4; revision++) {
      const now = cost()
      posted.push(...postHour({ ...now, borne: borneOf(now) }, borneBy(source, posted), revision))
      assert.deepEqual([...borneBy(source, posted)].sort(), [...borneOf(now)].sort(), `seed ${seed}`)
      const sum = [...borneBy(source, posted).values()].reduce((total, amount) => total + amount, 0n)
      assert.equal(sum, now.amount, `seed ${seed}`)
      assert.deepEqual(
        postHour({ ...now, borne: borneOf(now) }, borneBy(source, posted), 9),
        [],
        'posting the same again moves nothing',
      )
    }
    assert.equal(new Set(posted.map((one) => one.id)).size, posted.length)
    assert(posted.every(({ amount, at_ms }) => amount > 0n && Math.floor(at_ms / hour_ms) === 5))
  }
})

test('what was read from the cache bears nothing, what was for nothing is waste by its cause', () => {
  const borne = bearingsOf(row(1), at(1), 15n)
  assert.deepEqual(
    borne.map(({ to, weight }) => [to, weight]),
    [
      ['cost/usage/t1/a%2Fb/m/input_uncached/k1', 15n * 466_666_667n],
      ['cost/usage/t1/a%2Fb/m/output_visible/k1', 15n * 333_333_333n],
      ['cost/usage/t1/a%2Fb/m/reasoning/k1', 15n * 200_000_000n],
    ],
  )
  const failed = bearingsOf(row(1, { outcome: 'timeout' }), at(1), 15n)
  assert.deepEqual(failed, [{ to: 'cost/waste/timeout', weight: 15_000_000_000n }])
  assert.equal(bearingsOf(undefined, at(1), 1n)[0]?.to, 'cost/waste/foreign')
})

const declared = (version: number, from_ms: number, usd: number): CostDeclaration => ({
  version,
  kind: 'capacity',
  name: 'gpu',
  from_ms,
  declared_ms: version,
  terms: { per: 'hour', amount: nanoDollars(BigInt(usd) * 1_000_000_000n) },
  note: '',
})

test('what began last holds, a later entry corrects an earlier one, and nothing costs before it began', () => {
  const all = [declared(1, 0, 2), declared(2, hour_ms, 4), declared(3, hour_ms, 6)]
  assert.equal(inForce(all, 'capacity', 'gpu', hour_ms)?.version, 3)
  assert.equal(inForce(all, 'capacity', 'gpu', -1), undefined)
  const spans = perHourSpans(all, 'capacity', 'gpu')
  assert.equal(costBetween(spans, -hour_ms, 2 * hour_ms), 8_000_000_000n)
  assert.equal(costBetween(spans, hour_ms / 2, hour_ms * 1.5), 4_000_000_000n)
  const given = [{ engine: 'gpu', from_ms: 3 * hour_ms, until_ms: 4 * hour_ms, perHour: nanoDollars(1n) }]
  const merged = perHourSpans(all, 'capacity', 'gpu', given)
  assert.equal(costBetween(merged, 3 * hour_ms, 9 * hour_ms), 1n, 'it was removed when the fourth hour ended')
})

test('a kilowatt-hour at a PUE of 1.25 and 8 cents is ten cents', () => {
  const flat = (usual: bigint) => ({ usual })
  assert.equal(energyCost(3_600_000_000n, 7, flat(80_000_000n), flat(1_250_000n)), 100_000_000n)
  const half = { usual: 0n, points: [{ at_ms: 7 * hour_ms + hour_ms / 2, value: 80_000_000n }] }
  assert.equal(energyCost(3_600_000_000n, 7, half, undefined), 40_000_000n, 'half of the hour was free')
})

test('unit costs are a partition: Σ unit × tokens + waste + idle + overhead is the total', () => {
  const flow = (to: Account, amount: bigint, back = false) => {
    const source = accounts.capacity('gpu')
    return { from: back ? to : source, to: back ? source : to, amount, hour: 1 }
  }
  const usage = accounts.usageCost(row(1), 'output_visible')
  const flows = [
    flow(usage, 5_000_000_000n),
    flow(usage, 1_000_000_000n, true),
    flow(accounts.usageCost(row(2), 'input_uncached'), 1_000_000_000n),
    flow(accounts.wasteCost('timeout'), 250_000_000n),
    flow(accounts.idleCost(accounts.idle()), 2_000_000_000n),
    flow(accounts.overheadCost('staff'), 750_000_000n),
  ]
  const sums = new Map([
    ['output_visible', 2_000_000],
    ['input_uncached', 1_000_000],
    ['nano_usd', 7_000_000_000],
    ['requests', 4],
    ['drawn/measured', 3_600_000_000],
  ])
  const carbon = flows.filter(({ to }) => to.startsWith('cost/')).map((flow) => ({ ...flow, amount: 1_000_000n }))
  const facts = {
    ...{ from_ms: 0, to_ms: hour_ms, flows, sums, busy_s: 900, all_s: 3600, carbon, contracted_w: 4000 },
    facility: { energy_mj: 3_600_000_000n, boundary: 'somewhere' },
    lines: { place: placings.tenant, served: new Map(), earns: true, energy: 'attributed' },
    jobs: [],
  } as const
  const { classes, figures, ...answer } = costAnswer(facts, 'tenant')
  const units = classes.reduce((sum, one) => sum + ((one.usd_per_mtoken.value ?? 0) * one.tokens) / 1e6, 0)
  assert.equal(answer.total_usd, '8')
  assert.equal(units + 0.25 + 2 + 0.75, 8)
  assert.deepEqual(
    answer.rows.map(({ name, usd, allocated_usd, loaded_usd }) => [name, usd, allocated_usd, loaded_usd]),
    [
      ['t1', '4', '2.4', '6.4'],
      ['t2', '1', '0.6', '1.6'],
    ],
  )
  assert.equal(figures.contribution_margin_usd.value, 2)
  assert.equal(figures.fully_loaded_margin_usd.value, -1, 'positive on the first, negative on the second')
  assert.equal(figures.revenue_usd_per_kwh.value, 7)
  assert.equal(figures.revenue_usd_per_kwh.unit, 'USD/kWh, somewhere')
  assert.deepEqual([figures.mean_power_w.value, figures.contracted_power_share.value], [1000, 0.25])
  assert.equal(figures.run_rate_kwh_per_month.value, 730)
  assert.equal(figures.output_tokens_per_s_per_mw.value, 2_000_000 / 3.6, '2 M tokens for 3.6 MJ')
  assert.equal(figures.busy_share.value, 0.25)
  assert.equal(answer.reservation_usd, '7.25')
  assert.equal(figures.carbon_g.value, carbon.length)
  const [t1] = answer.rows
  assert.deepEqual([t1?.name, t1?.figures.carbon_g.value, t1?.figures.carbon_g.unit], ['t1', 1, 'gCO2e, attributed'])
})
