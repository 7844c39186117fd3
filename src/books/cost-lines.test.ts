import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mainSite } from '../plant/infrastructure/site.ts'
import { nanoDollars } from '../units/amount.ts'
import { id } from '../units/ids.ts'
import { accounts } from './account.ts'
import type { CostDeclaration } from './cost.ts'
import { hour_ms } from './cost-hour.ts'
import { costLines, type LineFacts } from './cost-lines.ts'
import { type CostPart, costPart } from './cost-part.ts'
import { placingOnEngines, placingOnSites, placings } from './cost-place.ts'
import { earnedByReplica } from './earned.ts'
import { facilityEnergy } from './facility.ts'
import type { SummedPart } from './statement-sums.ts'
import { joined } from './tally.ts'

const usage = (tenant: string, model: string, amount: bigint, source = accounts.capacity('gpu')): CostPart => {
  const whose = { tenant: id(tenant), application: id('a'), model: id(model), key: id('k') } as const
  return costPart({ from: source, to: accounts.usageCost(whose as never, 'output_visible'), amount, hour: 1 })
}
const other = (to: 'idle' | 'staff', amount: bigint, source = accounts.capacity('gpu')): CostPart =>
  costPart({
    from: source,
    to: to === 'idle' ? accounts.idleCost(accounts.idle()) : accounts.overheadCost(to),
    amount,
    hour: 1,
  })

const facts = (more: Partial<LineFacts> = {}): LineFacts => ({
  place: placings.tenant,
  served: new Map(),
  earns: true,
  energy: 'attributed',
  ...more,
})
const nano = (text: string | null): bigint => BigInt(Math.round(Number(text) * 1e9))
const total = (parts: readonly CostPart[]): bigint => parts.reduce((sum, { amount }) => sum + amount, 0n)

test('what is nobody’s is allocated by usage cost to the nano-dollar, whatever the dimension', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const parts = Array.from({ length: 1 + (seed % 9) }, (_, at) =>
      usage(`t${at % 4}`, `m${(at * seed) % 3}`, BigInt((seed * 7919 * (at + 1)) % 100_003)),
    )
    parts.push(other('idle', BigInt(seed * 31 + 1)), other('staff', 1n, accounts.overhead('staff', 'ops')))
    for (const place of Object.values(placings)) {
      const { rows, not_allocated_usd } = costLines(parts, facts({ place }))
      const sum = rows.reduce((all, { loaded_usd }) => all + nano(loaded_usd), nano(not_allocated_usd))
      assert.equal(sum, total(parts), `seed ${seed}`)
    }
  }
})

test('a tenant can be positive on the first margin and negative on the second', () => {
  const earned = new Map([
    ['nano_usd', 3e9],
    ['requests', 10],
    ['output_visible', 1e6],
    ['energy_mj', 5e6],
  ])
  const parts = [usage('t1', 'm', 2_000_000_000n), usage('t2', 'm', 2_000_000_000n), other('idle', 4_000_000_000n)]
  const { rows } = costLines(parts, facts({ served: new Map([['t1', earned]]) }))
  const [first, second] = rows
  assert.equal(first?.figures.contribution_margin_usd.value, 1)
  assert.equal(first?.figures.fully_loaded_margin_usd.value, -1)
  assert.deepEqual([first?.figures.usage_usd_per_request.value, first?.figures.loaded_usd_per_mtoken.value], [0.2, 4])
  assert.deepEqual(
    [first?.figures.j_per_request.value, first?.figures.j_per_request.unit],
    [500, 'J/request, attributed'],
  )
  assert.equal(second?.figures.contribution_margin_usd.value, -2)
  assert.equal(second?.figures.usage_usd_per_request.value, null, 'without requests there is no figure')
})

const made = (model: string, amount: bigint): CostPart =>
  costPart({
    from: accounts.job('training', model, 'first'),
    to: accounts.makingCost(model, 'training'),
    amount,
    hour: 1,
  })

test('what making a model cost is borne by those who used it, and by nobody where nobody did', () => {
  const parts = [usage('t1', 'a', 3n), usage('t2', 'a', 1n), usage('t3', 'b', 96n), made('a', 400n), made('c', 70n)]
  const by = (place: LineFacts['place']) => {
    const { rows, not_allocated_usd } = costLines(parts, facts({ place }))
    const sum = rows.reduce((all, { loaded_usd }) => all + nano(loaded_usd), nano(not_allocated_usd))
    assert.equal(sum, total(parts))
    return [...rows.map(({ name, making_usd }) => [name, nano(making_usd)]), nano(not_allocated_usd)]
  }
  assert.deepEqual(by(placings.tenant), [['t1', 300n], ['t2', 100n], ['t3', 0n], 70n])
  assert.deepEqual(by(placings.model), [['a', 400n], ['b', 0n], ['c', 70n], 0n])
  assert.deepEqual(
    by(placingOnEngines(new Map(), (engine) => engine)),
    [['gpu', 400n], 70n],
    'by what each engine cost for the model',
  )
})

test('what is kept warm for an application is its own and not shared; unknown revenue is no loss', () => {
  const reserved = accounts.idleCost(accounts.reserved(id('t2'), id('a')))
  const parts = [
    usage('t1', 'm', 100n),
    costPart({ from: accounts.capacity('gpu'), to: reserved, amount: 40n, hour: 1 }),
  ]
  const { rows } = costLines(parts, facts({ earns: false }))
  assert.deepEqual(
    rows.map(({ name, own_usd, allocated_usd }) => [name, nano(own_usd), nano(allocated_usd)]),
    [
      ['t1', 0n, 0n],
      ['t2', 40n, 0n],
    ],
  )
  assert.equal(rows[0]?.figures.fully_loaded_margin_usd.value, null)
})

test('without usage nobody bears the rest, and it is said', () => {
  const { rows, not_allocated_usd } = costLines([other('idle', 7n)], facts())
  assert.deepEqual([rows, nano(not_allocated_usd)], [[], 7n])
})

test('a correction is taken back where it was given', () => {
  const back = costPart({ from: accounts.idleCost(accounts.idle()), to: accounts.capacity('gpu'), amount: 9n, hour: 1 })
  const { rows } = costLines([usage('t1', 'm', 5n), usage('t2', 'm', 5n), back], facts())
  assert.equal(
    rows.reduce((sum, { loaded_usd }) => sum + nano(loaded_usd), 0n),
    1n,
  )
})

test('an engine bears its own idle; a meter’s electricity goes by tokens; a floor is allocated', () => {
  const under = new Map([
    [
      'board',
      [
        { name: 'gpu', weight: 3n },
        { name: 'far', weight: 1n },
      ],
    ],
  ])
  const parts = [
    usage('t1', 'm', 60n),
    other('idle', 40n),
    usage('t1', 'm', 100n, accounts.electricity('board')),
    usage('t1', 'm', 15n, accounts.hosted('far')),
    other('staff', 20n, accounts.overhead('staff', 'ops')),
  ]
  const { rows } = costLines(parts, facts({ place: placingOnEngines(under, (engine) => engine), energy: 'drawn' }))
  assert.deepEqual(
    rows.map(({ name, usd, own_usd, allocated_usd }) => [name, nano(usd), nano(own_usd), nano(allocated_usd)]),
    [
      ['far', 40n, 0n, 5n],
      ['gpu', 135n, 40n, 15n],
    ],
  )
})

test('a site bears what its engines and meters cost, in each hour where they stood; a meter over two sites is allocated', () => {
  const parts = [
    usage('t1', 'm', 60n),
    { ...usage('t1', 'm', 30n), hour: 2 },
    other('idle', 40n),
    usage('t1', 'm', 100n, accounts.electricity('board')),
    usage('t1', 'm', 12n, accounts.electricity('hall')),
    usage('t1', 'm', 15n, accounts.hosted('far')),
    other('staff', 20n, accounts.overhead('staff', 'ops')),
  ]
  const place = placingOnSites({
    engine: (name, hour) => (name === 'far' || hour === 2 ? 'eu-north' : 'main'),
    meter: (name) => (name === 'board' ? 'main' : undefined),
  })
  const { rows } = costLines(parts, facts({ place, energy: 'drawn' }))
  assert.deepEqual(
    rows.map(({ name, usd, own_usd }) => [name, nano(usd), nano(own_usd)]),
    [
      ['eu-north', 45n, 0n],
      ['main', 160n, 40n],
    ],
  )
  assert.equal(
    rows.reduce((sum, { loaded_usd }) => sum + nano(loaded_usd), 0n),
    total(parts),
  )
})

const paid = (
  model: string,
  of: SummedPart['class'],
  amount: bigint,
  cause: SummedPart['cause'] = null,
): SummedPart => ({
  ...{
    tenant: 't',
    slot: 1,
    application: 'a',
    model,
    price_version: 1,
    site: mainSite,
    cause,
    class: of,
    requests: 1,
    tokens: 1,
  },
  amount: nanoDollars(amount),
})

test('replicas earned what was paid, by the tokens of each side; waste is not paid, refunds go back', () => {
  const flow = (replica: string, model: string, input: number, output: number) =>
    [
      joined(replica, model, 't', 'a'),
      new Map([
        ['input', input],
        ['output', output],
      ]),
    ] as const
  const flows = new Map([flow('x/1', 'm', 1, 3), flow('y', 'm', 1, 1), flow('y', 'n', 5, 5)])
  const parts = [
    paid('m', 'input_uncached', 11n),
    paid('m', 'cache_read', 1n),
    paid('m', 'output_visible', 100n),
    paid('m', 'output_visible', 50n, 'timeout'),
    paid('m', null, 6n, 'refund'),
    paid('gone', 'reasoning', 9n),
  ]
  const { by, unplaced } = earnedByReplica(parts, flows)
  assert.deepEqual([by.get('x/1'), by.get('y')], [6n + 75n - 4n, 6n + 25n - 2n])
  assert.equal(unplaced, 9n, 'no tokens of it flowed')
})

test('the boundary says whether a PUE is in it, and the energy is E × PUE', () => {
  const pue: CostDeclaration = {
    ...{ version: 1, kind: 'pue', name: 'board', from_ms: 0, declared_ms: 0, note: '' },
    terms: { per: 'time', series: { usual: 1_250_000n, rules: [{ hours: [1, 2], value: 1_500_000n }] } },
  }
  const facts = (...declared: CostDeclaration[]) => ({ declared, places: [], measured: () => undefined })
  const hour = (meter: string, at: number) => ({ meter, hour: at, energy_mj: 1000n })
  const all = facilityEnergy([hour('board', 0), hour('board', 1)], facts(pue))
  assert.deepEqual([all.energy_mj, all.boundary], [2750n, 'at the meters of the factory × PUE'])
  const some = facilityEnergy([hour('board', 0), hour('cpu', 0)], facts(pue))
  assert.deepEqual([some.energy_mj, some.boundary], [2250n, 'at the meters of the factory × PUE where declared'])
  assert.equal(facilityEnergy([hour('cpu', hour_ms)], facts()).boundary, 'at the meters of the factory')
})
