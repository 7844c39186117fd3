import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Allowance } from '../../../books/allowance.ts'
import { hour_ms } from '../../../books/cost-hour.ts'
import { chargesOf } from '../../../books/post.ts'
import { total } from '../../../books/price.ts'
import type { LeaseAsk } from '../../../lines/inference/lease.ts'
import { Purses } from '../../../lines/inference/purse.ts'
import { nanoDollars, parseDecimal } from '../../../units/amount.ts'
import { type Incarnation, id } from '../../../units/ids.ts'
import { seconds } from '../../../units/quantity.ts'
import { statement } from '../answers.ts'
import { ingestJournal, noteJournal } from '../ingest.ts'
import { Leases } from '../leases.ts'
import { Prices } from '../price-of.ts'
import { allBig, run } from '../query.ts'
import { removeAllowance, setAllowance } from '../registry/allowances.ts'
import { openStore, type Store } from '../store.ts'
import { closeRow, dice, journaled, setTestPrice, testHome } from '../testing.ts'
import { termsIn } from './agreed.ts'
import { declareAgreement } from './agreements.ts'
import { closeTerms } from './close-terms.ts'
import { creditAllowances, creditNow, setCreditOnly } from './credit-only.ts'
import { grantCredit } from './credits.ts'

const start_ms = Date.UTC(2026, 0, 30, 5)
const tenant = 'acme'
const budget = { scope: 'tenant', of: tenant, unit: 'nano-USD', renews: 'never', amount: 300_000n } as const

const buy = (store: Store, amount: bigint, now_ms: number) =>
  grantCredit(
    store,
    {
      id: undefined,
      tenant,
      kind: 'prepaid',
      amount: nanoDollars(amount),
      from_hour: undefined,
      until_hour: null,
      note: '',
    },
    now_ms,
  )

const ask = (allowance: Allowance, more: Partial<LeaseAsk>): LeaseAsk => ({
  ...{ allowance: allowance.id, period: 0, free: 0n, reserved: 0n, returned: 0n, want: 0n, ahead: 0n },
  ...more,
})

function opened(): { readonly store: Store; readonly leases: Leases; [Symbol.dispose](): void } {
  const home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const dispose = (): void => {
    store.close()
    home[Symbol.dispose]()
  }
  return { store, leases: new Leases(store), [Symbol.dispose]: dispose }
}

const allowed = (store: Store): Allowance => creditAllowances(store)[0] as Allowance

test('what gateways held when credit began to bind is not to be had again, whatever they give back and however often it is switched', () => {
  using factory = opened()
  const { store, leases } = factory
  const who = id<Incarnation>('g1')
  const granted = (more: Partial<LeaseAsk>): bigint =>
    leases.answer(who, [ask(allowed(store), more)], start_ms).grants[0]?.amount ?? -1n
  setCreditOnly(store, tenant, true, start_ms)
  buy(store, 1_000_000n, start_ms)
  assert.equal(granted({ want: 600_000n }), 600_000n)
  setCreditOnly(store, tenant, true, start_ms)
  assert.equal(leases.left(allowed(store), start_ms), 400_000n, 'again is nothing new')
  for (let turn = 0; turn < 2; turn++) {
    setCreditOnly(store, tenant, false, start_ms)
    setCreditOnly(store, tenant, true, start_ms)
    assert.equal(granted({ returned: 600_000n, want: 5_000_000n }), 1_000_000n)
    assert.equal(granted({ returned: 400_000n, want: 5_000_000n }), 400_000n, 'what was granted since is')
  }

  setCreditOnly(store, tenant, false, start_ms)
  const [gone] = leases.answer(
    who,
    [ask({ ...budget, id: 'tenant/acme/nano-USD/never' }, { returned: 9n ** 9n })],
    start_ms,
  ).grants
  assert.equal(gone?.exhausted, true)
  const owed = allBig(store.database, 'select incarnation from lease where granted < 0')
  assert.deepEqual(owed, [], 'nor does more come back than was granted')
})

/** One gateway after another, each with its purses and the requests that it served. */
function gatewayOf(store: Store, leases: Leases, name: string) {
  const who = id<Incarnation>(name)
  const purses = new Purses()
  let [requests, free] = [0, 0n]
  noteJournal(store, who)
  const told = (now_ms: number): void => {
    const now = seconds(now_ms / 1000)
    const asks = purses.ask(now)
    if (asks.length === 0) return
    const { grants } = leases.answer(who, asks, now_ms)
    purses.granted(grants, now)
    for (const { returned } of asks) free -= returned
    for (const { amount } of grants) free += amount
  }
  return {
    told,
    /** Leased, and not spent. */
    free: () => free,
    /** Undefined `allowance`: nothing binds. */
    serve(allowance: Allowance | undefined, now_ms: number): void {
      const row = closeRow(requests + 1, { at_ms: now_ms, closed_ms: now_ms + 10 }, who)
      const cost = total(chargesOf(row, new Prices(store.database).of(1)))
      const now = seconds(now_ms / 1000)
      const take = () => purses.take(allowance ? [{ allowance, amount: cost }] : [], now)
      let taking = take()
      if (taking.verdict === 'short') {
        told(now_ms)
        taking = take()
      }
      if (taking.verdict !== 'taken') return
      for (const hold of taking.holds) {
        purses.settle(hold, cost, now)
        free -= cost
      }
      requests++
      ingestJournal(store, who, journaled([row], requests))
    },
    die(now_ms: number): void {
      run(store.database, 'update journal set dead_ms = ? where incarnation = ?', now_ms, who)
      leases.settleDead()
    },
  }
}

/** By every kind that takes something off, in money: what is late never takes it back. */
function takeOff(store: Store): void {
  const given = { tenant, model: null, class: null, counts: 'nano-USD', from_hour: undefined, note: '' } as const
  const tiers = [
    { from: 20_000n, off: 150_000n },
    { from: 90_000n, off: 600_000n },
  ]
  declareAgreement(store, { ...given, kind: 'free', amount: 30_000n, tiers: [] }, start_ms)
  for (const kind of ['graduated', 'volume'] as const)
    declareAgreement(store, { ...given, kind, amount: 0n, tiers }, start_ms)
}

test('after a budget and a time without one, credit is overdrawn by no more than gateways held, and none of it is lost', () => {
  let [served, took] = [0n, 0]
  for (let seed = 1; seed <= 9; seed++) {
    using factory = opened()
    const { store, leases } = factory
    const roll = dice(seed)
    let [now_ms, lives] = [start_ms, 0]
    const start = () => gatewayOf(store, leases, `g${lives++}`)
    const gateways = [start(), start(), start()]
    const any = () => roll(gateways.length)
    const serve = (allowance: () => Allowance | undefined, steps: number): void => {
      for (let step = 0; step < steps; step++) {
        now_ms += roll(20) === 0 ? 15_000 : 1 + roll(400)
        const at = any()
        gateways[at]?.serve(allowance(), now_ms)
        gateways[any()]?.told(now_ms)
        if (roll(40) > 0) continue
        gateways[at]?.die(now_ms)
        gateways[at] = start()
      }
    }
    if (seed % 2 === 0) takeOff(store)
    if (seed % 3 > 0) {
      const set = setAllowance(store, budget, now_ms)
      serve(() => set, 30)
      removeAllowance(store, set.id)
    }
    serve(() => undefined, roll(20))
    const bought = BigInt(200_000 + roll(600_000))
    now_ms += roll(2) * hour_ms // else it pays for the hour under way from its beginning
    buy(store, bought, now_ms)
    serve(() => undefined, roll(5))
    const held = gateways.reduce((sum, each) => sum + each.free(), 0n)
    setCreditOnly(store, tenant, true, now_ms)
    const charged = creditNow(store, tenant, now_ms).charged
    const full = { ...termsIn(store, tenant), agreements: [] }
    assert.equal(leases.left(allowed(store), now_ms), creditNow(store, tenant, now_ms, full).usable, `seed ${seed}`)
    serve(() => allowed(store), 60)

    for (const each of gateways) each.die(now_ms)
    // What is taken off an hour is to be had when the hour is posted.
    now_ms += 3 * hour_ms
    for (let turn = 0; turn < 50 && closeTerms(store, now_ms); turn++);
    const taken = parseDecimal(statement(store, id(tenant), start_ms, now_ms).taken_off_usd, 9) ?? 0n
    if (taken > 0n) took++
    const { charged: since, usable } = creditNow(store, tenant, now_ms)
    const left = leases.left(allowed(store), now_ms)
    const what = `seed ${seed}: ${left} are to be had, credit has ${usable}, gateways held ${held}`
    served += since - charged
    assert(left >= usable, `stranded, ${what}`)
    assert(left <= usable + held, `overdrawn, ${what}`)
    assert(since - charged <= bought + held + taken, what)
  }
  assert(served > 1_000_000n, `${served}`)
  assert.equal(took, 4, 'of every second factory')
})
