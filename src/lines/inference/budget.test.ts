import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allowance, indexed } from '../../books/allowance.ts'
import { chargesOf, post } from '../../books/post.ts'
import { priceList, total } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import { outputTokens, totalTokens, usageFrom } from '../../books/usage.ts'
import { price } from '../../units/amount.ts'
import type { ModelId, RequestId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import type { Ending, Event, World } from './flow.ts'
import { newFlow } from './flow.ts'
import { inferenceLine } from './line.ts'
import { livePolicy } from './policy.ts'
import type { Grant, Snapshot } from './snapshot.ts'

const model = id<ModelId>('m')
const version = {
  version: 1,
  model,
  effective_from_ms: 0,
  perMillion: priceList(price(3_000_001n), price(12_000_007n), { cache_read: price(300_001n) }),
  note: '',
}

/** What its tenant's contract says: not twice the public price, so that neither is taken for the other. */
const contract = {
  ...version,
  version: 2,
  tenant: id<Grant['tenant']>('t'),
  perMillion: priceList(price(7_000_003n), price(20_000_009n), { cache_read: price(900_001n) }),
}

/** A request of a key with a budget in nano-dollars, of which all is leased to this gateway. */
function bench(budget: bigint, prompt: number, prices: Snapshot['prices']) {
  const of = allowance({ scope: 'key', of: 'k', unit: 'nano-USD', renews: 'never', amount: budget })
  const snapshot: Snapshot = {
    number: 1,
    published_ms: 0,
    grants: new Map(),
    prices,
    allowances: indexed([of]),
    energyPerToken_mj: new Map(),
    aliases: new Map(),
    replicas: [{ id: id('r'), vendor: 'llama', models: { m: 'm' }, concurrency: 4, draining: false }],
    gateways: 1,
  }
  const told = { written: 0, endings: [] as Ending[], cancelled: 0 }
  const world: World = {
    generate: () => {},
    cancel: () => void told.cancelled++,
    watch: () => {},
    write: (_, bytes) => {
      told.written += Number(bytes)
    },
    release: () => {},
    append: () => {},
    keep: () => {},
    finish: (_, ending) => void told.endings.push(ending),
    wait: () => {},
  }
  const bounds = { queueLength: 2, queueTime: seconds(5), absentTime: seconds(0), leaseTime: seconds(1), attempts: 2 }
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
  const ask = {
    grant,
    model,
    promptEstimate: tokens(prompt),
    maxOutput: tokens(20),
    stream: true,
    slo: 'standard',
  } as const
  const flow = newFlow(id<RequestId>('g-1'), { ...ask, clientRetry: 0, body: undefined }, snapshot, seconds(0))
  const tell = (event: Event): void => step(flow, event, seconds(0.5))
  const lease = (): void => {
    const { purses } = policy.admitter
    const asks = purses.ask(seconds(0.5))
    const grants = asks.map(({ allowance, period }) => ({
      allowance,
      period,
      amount: budget,
      left: 0n,
      exhausted: false,
      retry_ms: null,
    }))
    purses.granted(grants, seconds(0.5))
  }
  tell({ kind: 'asked' })
  lease()
  tell({ kind: 'turn' })
  return { flow, told, tell }
}

const ended = (input: number, cached: number, output: number): Event => ({
  kind: 'ended',
  attempt: 1,
  usage: usageFrom('engine', {
    input_uncached: input,
    cache_read: cached,
    cache_write: 0,
    output_visible: output,
    reasoning: 0,
  }),
})

const run = fc.record({
  budget: fc.bigInt(0n, 6_000n),
  estimate: fc.nat(200),
  input: fc.nat(600),
  cached: fc.nat(600),
  chunks: fc.array(fc.nat(4), { maxLength: 60 }),
  begins: fc.boolean(),
  beyond: fc.nat(5),
  contracted: fc.boolean(),
})

test('pain 7, budget race: what is charged is within the budget, what was let through is charged, and the rest is waste', () => {
  let stopped = 0
  fc.assert(
    fc.property(run, ({ budget, estimate, input, cached, chunks, begins, beyond, contracted }) => {
      const price = contracted ? contract : version
      const { flow, told, tell } = bench(budget, estimate, contracted ? [version, contract] : [version])
      if (flow.phase !== 'generating') return
      if (begins) tell({ kind: 'begun', attempt: 1, input_uncached: tokens(input), cache_read: tokens(cached) })
      for (const count of chunks) tell({ kind: 'chunk', attempt: 1, tokens: tokens(count), bytes: count })
      const output = chunks.reduce((sum, count) => sum + count, 0) + beyond
      tell(ended(input, cached, output))
      const row = flow.closing as CloseRow
      assert.equal(row.price_version, price.version)
      const charged = total(chargesOf(row, price))
      assert(charged <= budget, `${charged} of ${budget}`)
      const last = row.attempts.at(-1)
      const billed = outputTokens(last?.usage as never) - outputTokens(last?.unbilled ?? usageFrom('counted', {}))
      if (row.outcome === 'budget_exhausted') {
        stopped++
        assert.equal(told.cancelled, 1)
        assert.equal(billed, told.written, 'what was let through is what is billed')
      }
      const booked = post(row, price).reduce(
        (sum, { unit, amount }) => sum + (unit === 'token' ? Number(amount) : 0),
        0,
      )
      assert.equal(booked, totalTokens(last?.usage as never), 'billed + waste = what the engine made')
    }),
    { numRuns: 1500 },
  )
  assert(stopped > 20, `only ${stopped} streams ran out`)
})
