import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Allowance, Renewal } from '../../books/allowance.ts'
import { allowance } from '../../books/allowance.ts'
import type { Hold } from '../../lines/inference/lease.ts'
import { Purses } from '../../lines/inference/purse.ts'
import type { Incarnation } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds } from '../../units/quantity.ts'
import { Leased } from './authority.ts'

const of = (renews: Renewal, amount: bigint): Allowance =>
  allowance({ scope: 'key', of: 'k', unit: renews === 'release' ? 'concurrent' : 'nano-USD', renews, amount })

const step = fc.record({
  gateway: fc.nat(3),
  what: fc.constantFrom('take', 'take', 'extend', 'settle', 'ask', 'ask', 'die', 'wait'),
  amount: fc.bigInt(1n, 400n),
})

function play(allowed: Allowance, steps: readonly { gateway: number; what: string; amount: bigint }[]) {
  let [now, lives, used] = [1000, 0, 0n]
  const leased = new Leased(allowed, 0, seconds(now))
  const start = () => ({ purses: new Purses(), holds: [] as Hold[], name: id<Incarnation>(`g${lives++}`), used: 0n })
  const gateways = Array.from({ length: 4 }, start)
  let [most, running] = [0n, 0n]
  for (const { gateway, what, amount } of steps) {
    const one = gateways[gateway] as (typeof gateways)[number]
    const at = seconds(now)
    if (what === 'take') {
      const need = allowed.unit === 'concurrent' ? 1n : amount
      const taking = one.purses.take([{ allowance: allowed, amount: need }], at)
      if (taking.verdict === 'taken') {
        one.holds.push(...taking.holds)
        running += need
      }
    }
    if (
      what === 'extend' &&
      one.holds[0] &&
      allowed.unit !== 'concurrent' &&
      one.purses.extend(one.holds[0], amount, at)
    )
      running += amount
    if (what === 'settle') {
      const hold = one.holds.shift()
      if (hold) {
        running -= hold.amount
        const spends = allowed.unit === 'concurrent' ? 0n : hold.amount < amount ? hold.amount : amount
        one.purses.settle(hold, spends, at)
        one.used += spends
        used += spends
      }
    }
    if (what === 'ask') {
      const grants = one.purses.ask(at).map((ask) => leased.answer(one.name, ask, at))
      one.purses.granted(grants, at)
      if (leased.isShort) for (const { purses } of gateways) purses.recall([{ allowance: allowed.id, period: 0 }])
    }
    if (what === 'die') {
      leased.settleDead(one.name, one.used)
      for (const hold of one.holds) running -= hold.amount
      gateways[gateway] = start()
    }
    if (what === 'wait') now += Number(amount) / 100
    if (used + running > most) most = used + running
  }
  return { used, most, running, now, leased }
}

test('a budget is never overdrawn, whoever asks, ends and dies in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { most } = play(of('never', 1000n), steps)
      assert(most <= 1000n, `${most} of 1000`)
    }),
  )
})

test('no more requests are under way than are allowed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { most } = play(of('release', 3n), steps)
      assert(most <= 3n, `${most} of 3`)
    }),
  )
})

test('pain 5, limits multiply by replicas: a rate lets through no more than a minute and its refill, over all gateways', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const withoutDebt = steps.filter(({ what }) => what !== 'extend')
      const { most, now } = play(of('minute', 1000n), withoutDebt)
      const limit = 1000 + ((now - 1000) * 1000) / 60
      assert(Number(most) <= limit + 1, `${most} of ${limit}`)
    }),
  )
})

test('what is left is used: the last of a budget goes where it is wanted', () => {
  const budget = of('never', 1_000_000n)
  const leased = new Leased(budget, 0, seconds(0))
  const gateways = Array.from({ length: 4 }, (_, index) => ({
    purses: new Purses(),
    name: id<Incarnation>(`g${index}`),
  }))
  let [used, now, idle] = [0n, 0, 0]
  while (idle < 200) {
    now += 0.01
    idle++
    for (const { purses, name } of gateways) {
      const taking = purses.take([{ allowance: budget, amount: 900n }], seconds(now))
      if (taking.verdict === 'taken') {
        purses.settle(taking.holds[0] as Hold, 700n, seconds(now))
        used += 700n
        idle = 0
      }
      const grants = purses.ask(seconds(now)).map((ask) => leased.answer(name, ask, seconds(now)))
      purses.granted(grants, seconds(now))
      if (leased.isShort) for (const other of gateways) other.purses.recall([{ allowance: budget.id, period: 0 }])
    }
  }
  assert(used <= 1_000_000n)
  assert(used >= 990_000n, `${used} of 1000000 were used`)
  const taking = gateways[0]?.purses.take([{ allowance: budget, amount: 900n }], seconds(now))
  assert.equal(taking?.verdict, 'exhausted')
})

test('without anybody to ask a rate goes on at an equal share, a budget with what is leased', () => {
  const purses = new Purses()
  purses.setGateways(4)
  purses.setAlone(true)
  const take = (of: Allowance, amount: bigint) => purses.take([{ allowance: of, amount }], seconds(1)).verdict
  const rate = allowance({ scope: 'key', of: 'k', unit: 'requests', renews: 'minute', amount: 40n })
  assert.deepEqual(
    Array.from({ length: 12 }, () => take(rate, 1n)),
    [...Array(10).fill('taken'), 'exhausted', 'exhausted'],
  )
  assert.equal(take(of('never', 10n), 1n), 'exhausted')
  assert.equal(take(of('never', 10n), 11n), 'too_large')
})

test('a budget that nobody grants of just now is not said to be used up for good', () => {
  const purses = new Purses()
  const budget = of('never', 10n)
  const take = () => purses.take([{ allowance: budget, amount: 1n }], seconds(1))
  purses.setAlone(true)
  assert.deepEqual(take(), { verdict: 'exhausted', allowance: budget, retryAfter: 1, alone: true })
  const none = { allowance: budget.id, period: 0, amount: 0n, left: 0n, exhausted: true, retry_ms: null }
  purses.granted([none], seconds(1))
  assert.deepEqual(take(), { verdict: 'exhausted', allowance: budget, retryAfter: undefined, alone: false })
})
