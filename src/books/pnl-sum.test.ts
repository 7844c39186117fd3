import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Account, accounts } from './account.ts'
import { under } from './account-pattern.ts'
import { difference, type PnlSum, pnlDimensions, pnlSums, type SourceBorne } from './pnl-sum.ts'

const none = new Map()
const nothing = { factory: none, tenant: none, model: none, site: none }
const name = fc.constantFrom('a', 'a/b', 'starter', 'x:y')
const account: fc.Arbitrary<Account> = fc.oneof(
  fc
    .tuple(name, name, name, name)
    .map(([tenant, application, model, key]) =>
      accounts.usageCost({ tenant, application, model, key } as never, 'output_visible'),
    ),
  fc
    .tuple(name, name)
    .map(([tenant, application]) => accounts.idleCost(accounts.reserved(tenant as never, application as never))),
  fc.constantFrom(
    accounts.idleCost(accounts.idle()),
    accounts.idleCost(accounts.stranded('drained' as never)),
    accounts.wasteCost('timeout'),
    accounts.overheadCost('staff'),
    accounts.makingCost('starter', 'training'),
  ),
)
const hour: fc.Arbitrary<SourceBorne[]> = fc.array(
  fc.record({
    source: name.map(accounts.capacity),
    unit: fc.constantFrom('nano-USD', 'ugCO2e'),
    borne: fc.array(fc.tuple(account, fc.bigInt(1n, 10n ** 20n))).map((each) => new Map(each)),
  }),
)
const total = (sums: readonly PnlSum[], dimension: string): bigint =>
  sums.filter((sum) => sum.dimension === dimension).reduce((sum, { amount }) => sum + amount, 0n)

test('by source and by bearer it is the same cost, and each sum is that of the accounts under its name', () => {
  fc.assert(
    fc.property(hour, (costs) => {
      const sums = pnlSums(costs, nothing)
      const all = costs.flatMap(({ source, unit, borne }) =>
        [...borne].map(([to, amount]) => ({ source, unit, to, amount })),
      )
      for (const dimension of ['factory', 'tenant'])
        assert.equal(
          total(sums, dimension),
          all.reduce((sum, { amount }) => sum + amount, 0n),
        )
      for (const { source, name: pattern, measure, amount } of sums)
        assert.equal(
          all
            .filter((one) => source === '' || one.source === source)
            .filter((one) => one.unit === measure && under(pattern, one.to))
            .reduce((sum, one) => sum + one.amount, 0n),
          amount,
          pattern,
        )
    }),
  )
})

test('sums and the difference to others are the others', () => {
  fc.assert(
    fc.property(hour, hour, (one, other) => {
      const [before, now] = [pnlSums(one, nothing), pnlSums(other, nothing)]
      const added = difference(now, before)
      for (const dimension of pnlDimensions)
        assert.equal(total(before, dimension) + total(added, dimension), total(now, dimension))
      assert.deepEqual(difference(now, now), [])
    }),
  )
})

test('a pattern is met part by part, and not letter by letter', () => {
  const usage = accounts.usageCost({ tenant: 'a', application: 'b', model: 'm/1', key: 'k' } as never, 'reasoning')
  for (const [pattern, fits] of [
    ['cost/usage/a', true],
    ['cost/usage/*/*/m%2F1', true],
    ['cost/usage/aa', false],
    ['cost/us', false],
    ['cost/usage/a/b/m%2F1/reasoning/k/more', false],
    ['cost/usage/a/b/m%2F1/reasoning/k/*', false],
  ] as const)
    assert.equal(under(pattern, usage), fits, pattern)
})
