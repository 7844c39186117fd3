import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LevelState, RestRule } from '../plant/energy/levels.ts'
import { accounts } from './account.ts'
import { type Below, type Borne, shareRest } from './level.ts'

const tenant = (name: string) => accounts.tenant(name as never, 'a' as never)
const borne = (name: string, weight: number): Borne => ({
  name: `${name}/1`,
  to: tenant(name),
  request: name,
  weight: BigInt(weight),
})
const below: Below[] = [
  { meter: 'b0', energy_mj: 3000n, chips: 1, borne: [borne('x', 1), borne('y', 2)] },
  { meter: 'b1', energy_mj: 1000n, chips: 1, borne: [borne('x', 5)] },
]
const share = (rule: RestRule, of = below, state: LevelState = 'whole', booked_mj = 4000n) =>
  shareRest({ meter: 'host', sequence: 7, to_ms: 9, state, booked_mj }, { level: 'host', rule }, of).map(
    ({ id, to, amount }) => [id, to, amount],
  )

test('a rest goes as the energy below, by chips, or beside', () => {
  const to = (x: bigint, y: bigint) => [
    ['host/7/x/1', tenant('x'), x],
    ['host/7/y/1', tenant('y'), y],
  ]
  assert.deepEqual(share('energy'), to(2000n, 2000n))
  assert.deepEqual(share('chips'), to(2667n, 1333n))
  const beside = (name: string) => [[`host/7/overhead/${name}`, `overhead/${name}`, 4000n]]
  assert.deepEqual(share('overhead'), beside('host'))
  assert.deepEqual(share('energy', below, 'below unseen'), beside('unseen'))
  assert.deepEqual(share('chips', []), beside('host'))
  assert.deepEqual(
    share(
      'energy',
      below.map((one) => ({ ...one, borne: [] })),
    ),
    beside('host'),
  )
})

test('whatever is below, the transfers add up to what is booked', () => {
  const bearer = fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.integer({ min: 0, max: 1e9 }))
  const one = fc.record({
    meter: fc.string(),
    energy_mj: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    chips: fc.integer({ min: 0, max: 8 }),
    borne: fc.array(bearer, { maxLength: 5 }).map((of) => of.map(([name, weight]) => borne(name, weight))),
  })
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 9 }),
      fc.constantFrom<RestRule>('energy', 'chips', 'overhead'),
      fc.constantFrom<LevelState>('whole', 'below unseen', 'unseen'),
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      (of, rule, state, booked_mj) => {
        const found = share(rule, of, state, booked_mj)
        const sum = found.reduce((total, [, , amount]) => total + (amount as bigint), 0n)
        assert.equal(sum, booked_mj)
        assert.equal(new Set(found.map(([id]) => id)).size, found.length, 'each is named once')
      },
    ),
  )
})
