import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import { checkFocusRow } from '../../../books/focus/check.ts'
import { chargesOf, costOf } from '../../../books/post.ts'
import { total } from '../../../books/price.ts'
import type { CloseRow } from '../../../books/row.ts'
import type { Statement } from '../../../books/statement.ts'
import { noTerms } from '../../../books/terms/terms.ts'
import type { LeaseAsk } from '../../../lines/inference/lease.ts'
import { nanoDollars, parseDecimal } from '../../../units/amount.ts'
import { type Incarnation, id, type TenantId } from '../../../units/ids.ts'
import { statement } from '../answers.ts'
import { check } from '../check.ts'
import { pnl } from '../costs/pnl.ts'
import { focusRows } from '../focus.ts'
import { ingestJournal, journalReadTo } from '../ingest.ts'
import { Leases } from '../leases.ts'
import { Prices } from '../price-of.ts'
import { all, allBig, one } from '../query.ts'
import { setAllowance } from '../registry/allowances.ts'
import { RegistryError } from '../registry/change.ts'
import { createApplication } from '../registry/tenants.ts'
import { rerate } from '../rerate.ts'
import { rollUp } from '../rollup.ts'
import { openStore, type Store } from '../store.ts'
import {
  closeRow,
  dice,
  embeddedUsage,
  gateway,
  journaled,
  lateTurn,
  setLaterPrice,
  setTestPrice,
  testHome,
} from '../testing.ts'
import { listAgreements } from './agreed.ts'
import { type Declaring, declareAgreement, endAgreement } from './agreements.ts'
import { closeTerms } from './close-terms.ts'
import { creditAllowances, creditNow, setCreditOnly } from './credit-only.ts'
import { type Granting, grantCredit, returnCredit } from './credits.ts'
import { keptUntil, settledFromBeginning } from './work-out.ts'

const day_ms = 24 * hour_ms
/** The last days of a month: some hours are of the next. */
const start_ms = Date.UTC(2026, 0, 30, 5)
const acme = id<TenantId>('acme')
const nano = (usd: string): bigint => parseDecimal(usd, 9) ?? -1n

const asked = (more: Partial<Granting> = {}): Granting => ({
  id: undefined,
  tenant: acme,
  kind: 'prepaid',
  amount: nanoDollars(1_000_000n),
  from_hour: undefined,
  until_hour: null,
  note: '',
  ...more,
})

function opened(): { readonly store: Store; [Symbol.dispose](): void } {
  const home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  store.database.exec('update price set hit_percent = 40 where version = 1')
  const dispose = (): void => {
    store.close()
    home[Symbol.dispose]()
  }
  return { store, [Symbol.dispose]: dispose }
}

function traffic(
  seed: number,
  count: number,
  from_ms = start_ms,
  to_ms = start_ms + 4 * day_ms,
  first = 1,
): CloseRow[] {
  const roll = dice(seed)
  return Array.from({ length: count }, (_, index) => {
    const closed_ms = from_ms + roll(to_ms - from_ms)
    const usage = embeddedUsage(roll(900), roll(300), roll(200))
    return closeRow(first + index, {
      tenant: id(roll(3) === 0 ? 'other' : 'acme'),
      application: id(roll(2) === 0 ? 'support' : 'a/b'),
      outcome: roll(6) === 0 ? 'upstream_error' : 'complete',
      ttft_ms: roll(4) === 0 ? 1500 : 10,
      at_ms: closed_ms - 500,
      closed_ms,
      ...(roll(5) === 0
        ? { outcome: 'complete', ttft_ms: 10, attempts: [], cached: { from: id('gw-0'), usage } }
        : { attempts: [{ number: 1, replica: id('hosted'), usage }] }),
    })
  }).sort((a, b) => a.closed_ms - b.closed_ms)
}

const settle = (store: Store, now_ms: number): void => {
  journalReadTo(store, gateway, now_ms)
  for (let turn = 0; turn < 100 && closeTerms(store, now_ms); turn++);
}

const held = (store: Store, account: string): bigint =>
  allBig<{ amount: bigint }>(store.database, 'select amount from balance where account = ?', account).reduce(
    (sum, { amount }) => sum + amount,
    0n,
  )

function ended<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Everything that must agree: the audit, the statement made again, the ledger and the export. */
function agree(store: Store, seed: number, to_ms: number): Statement {
  const found = check(store)
  assert.deepEqual([found.conserved, found.first_broken], [true, undefined], `seed ${seed}`)
  const again = ended(rerate(store, acme, start_ms - hour_ms, to_ms))
  assert.deepEqual([again.equal, again.first_difference], [true, null], `seed ${seed}`)
  const made = statement(store, acme, start_ms - hour_ms, to_ms)
  const rows = [
    ...focusRows(store, { tenant: acme, from: hourOf(start_ms) - 1, to: hourOf(to_ms), by: 'hour', provider: 'W' }),
  ]
  for (const row of rows) assert.deepEqual(checkFocusRow(row), [], JSON.stringify(row))
  const sum = (name: string): bigint => rows.reduce((all, row) => all + nano(row[name] ?? '0'), 0n)
  const of = (name: 'granted_usd' | 'returned_usd' | 'expired_usd' | 'used_usd', kind?: string): bigint =>
    made.credits.reduce((all, line) => all + (kind && line.kind !== kind ? 0n : nano(line[name])), 0n)
  assert.equal(sum('BilledCost'), nano(made.due_usd) + of('granted_usd', 'prepaid') - of('returned_usd', 'prepaid'))
  const agreed = nano(made.shortfall_usd) - nano(made.taken_off_usd)
  assert.equal(
    sum('EffectiveCost'),
    nano(made.total_usd) + agreed - of('used_usd', 'promo') + of('expired_usd', 'prepaid'),
  )
  const apps = allBig<{ account: string }>(
    store.database,
    "select distinct account from balance where account like 'tenant/acme/%' and unit = 'nano-USD'",
  )
  const owed = [...apps.map(({ account }) => account), 'commitment/acme']
  assert.equal(-owed.reduce((all, account) => all + held(store, account), 0n), nano(made.due_usd), `seed ${seed}`)
  return made
}

test('credits pay what is settled, hour by hour; late rows, months and days that are rolled up change no law', () => {
  for (let seed = 1; seed <= 3; seed++) {
    using factory = opened()
    const { store } = factory
    const rows = traffic(seed, 300)
    const [late, early] = [rows.filter((_, at) => at % 7 === 3), rows.filter((_, at) => at % 7 !== 3)]
    const until_hour = hourOf(start_ms) + 60
    grantCredit(store, asked({ id: 'gift', kind: 'promo', amount: nanoDollars(900_000n), until_hour }), start_ms)
    grantCredit(store, asked({ id: 'INV/1', amount: nanoDollars(3_000_000n) }), start_ms)
    let seq = 1
    for (let at = 0; at < early.length; at += 12) {
      const batch = early.slice(at, at + 12)
      settle(store, batch[0]?.closed_ms ?? 0)
      ingestJournal(store, gateway, journaled(batch, seq))
      seq += batch.length
    }
    const end_ms = start_ms + 5 * day_ms
    settle(store, end_ms)
    agree(store, seed, end_ms)
    for (const batch of [late.slice(20), late.slice(0, 20)]) {
      ingestJournal(store, gateway, journaled(batch, seq))
      seq += batch.length
      settle(store, end_ms)
    }
    const made = agree(store, seed, end_ms)

    // The same as if nothing had been late.
    const prices = new Prices(store.database)
    const whole = opened()
    grantCredit(whole.store, asked({ id: 'gift', kind: 'promo', amount: nanoDollars(900_000n), until_hour }), start_ms)
    grantCredit(whole.store, asked({ id: 'INV/1', amount: nanoDollars(3_000_000n) }), start_ms)
    ingestJournal(whole.store, gateway, journaled(rows))
    settle(whole.store, end_ms)
    assert.deepEqual(statement(whole.store, acme, start_ms - hour_ms, end_ms), made, `seed ${seed}`)
    whole[Symbol.dispose]()

    const owed = rows.filter(({ tenant }) => tenant === acme).reduce((sum, row) => sum + costOf(row, prices.of(1)), 0n)
    assert.equal(nano(made.total_usd), owed)
    assert(made.lines.some(({ cached }) => cached) && made.refunds.length > 0)
    assert.equal(nano(made.credit_usd) + nano(made.due_usd), owed)
    assert.deepEqual(made.credits.map(({ credit }) => credit).sort(), ['INV/1', 'gift'])
    assert(nano(made.credit_usd) > 3_000_000n, `${made.credit_usd}`)

    for (let turn = 0; turn < 50 && rollUp(store, start_ms + 3 * day_ms); turn++);
    assert(Number(one<{ n: number }>(store.database, 'select count(*) as n from rolled_part')?.n) > 0)
    const from_ms = Date.UTC(2026, 0, 30)
    assert.equal(statement(store, acme, from_ms, end_ms).due_usd, made.due_usd)
    assert.equal(check(store).first_broken, undefined)
  }
})

const declared = (more: Partial<Declaring>): Declaring => ({
  ...{ tenant: acme, kind: 'graduated', model: null, class: null, counts: 'tokens', amount: 0n, tiers: [] },
  ...{ from_hour: undefined, note: '' },
  ...more,
})

/** Of all kinds, of a tenant and of all; some are replaced and end on the way. */
function declareMany(store: Store, roll: (below: number) => number): void {
  const hour = hourOf(start_ms)
  const february = hourOf(Date.UTC(2026, 1, 1))
  const off = (percent: number) => BigInt(percent * 10_000)
  const tiers = [5_000, 20_000, 40_000].map((from, at) => ({
    from: BigInt(from + roll(999)),
    off: off(10 * at + roll(9)),
  }))
  const made = (more: Partial<Declaring>) => declareAgreement(store, declared(more), start_ms)
  made({ kind: 'free', amount: BigInt(3_000 + roll(3_000)), from_hour: hour })
  made({ kind: 'free', counts: 'nano-USD', amount: BigInt(roll(400_000)), tenant: null, from_hour: february + 3 })
  made({ tiers, from_hour: hour + 2 })
  made({
    kind: 'volume',
    counts: 'nano-USD',
    tiers: [
      { from: BigInt(roll(900_000)), off: off(5) },
      { from: 1_500_000n, off: off(33.3333) },
    ],
    tenant: null,
    model: 'm',
  })
  const short = made({ kind: 'free', class: 'output_visible', amount: 700n, tenant: null })
  endAgreement(store, short.version, hour + 20, start_ms)
  made({ kind: 'commitment', counts: 'nano-USD', amount: BigInt(900_000 + roll(9_000_000)), from_hour: february })
}

test('free quotas, tiers and commitments: whatever is late, months and days that are rolled up change no law', () => {
  for (let seed = 1; seed <= 4; seed++) {
    using factory = opened()
    const { store } = factory
    createApplication(store, acme, 'support', start_ms)
    setLaterPrice(store)
    const rows = traffic(seed, 250).map((row) =>
      row.closed_ms > start_ms + 2 * day_ms ? { ...row, price_version: 2 } : row,
    )
    const [late, early] = [rows.filter((_, at) => at % 6 === 3), rows.filter((_, at) => at % 6 !== 3)]
    const agreeOn = (into: Store): void => {
      declareMany(into, dice(seed))
      grantCredit(into, asked({ id: 'INV/1', amount: nanoDollars(2_000_000n) }), start_ms)
    }
    agreeOn(store)
    // Beyond the end of February, of which the commitment is.
    const end_ms = Date.UTC(2026, 2, 1, 2)
    let seq = 1
    const book = (batch: readonly CloseRow[], now_ms: number): void => {
      settle(store, now_ms)
      ingestJournal(store, gateway, journaled(batch, seq))
      seq += batch.length
    }
    for (let at = 0; at < early.length; at += 12) book(early.slice(at, at + 12), early[at]?.closed_ms ?? 0)
    settle(store, end_ms)
    const before = agree(store, seed, end_ms)
    keptHours(store)
    const posted = allBig<{ id: string }>(store.database, "select * from transfer where id like 'terms/%' order by id")
    for (const batch of [late.slice(20), late.slice(0, 20)]) book(batch, end_ms)
    settle(store, end_ms)
    const made = agree(store, seed, end_ms)
    keptHours(store)
    const still = allBig<{ id: string }>(store.database, "select * from transfer where id like 'terms/%' order by id")
    const ids = new Set(posted.map(({ id }) => id))
    assert.deepEqual(
      still.filter(({ id }) => ids.has(id)),
      posted,
      `seed ${seed}: nothing posted was changed`,
    )
    assert(still.length > posted.length && before.taken_off_usd !== made.taken_off_usd)

    // The same as if nothing had been late.
    using whole = opened()
    setLaterPrice(whole.store)
    createApplication(whole.store, acme, 'support', start_ms)
    agreeOn(whole.store)
    ingestJournal(whole.store, gateway, journaled(rows))
    settle(whole.store, end_ms)
    assert.deepEqual(statement(whole.store, acme, start_ms - hour_ms, end_ms), made, `seed ${seed}`)
    const kinds = new Set(made.agreed.map(({ kind }) => kind))
    assert.deepEqual([...kinds].sort(), ['commitment', 'free', 'graduated', 'volume'], `seed ${seed}`)

    for (let turn = 0; turn < 50 && rollUp(store, start_ms + 3 * day_ms); turn++);
    const from_ms = Date.UTC(2026, 0, 30)
    assert.equal(statement(store, acme, from_ms, end_ms).due_usd, made.due_usd)
    assert.equal(check(store).first_broken, undefined)

    const profit = pnl(store, hourOf(start_ms), hourOf(end_ms), 24)
    const { taken_off_usd, shortfall_usd } = made
    assert.deepEqual(profit.agreed.tenants, [{ name: 'acme', taken_off_usd, shortfall_usd }])
    assert.deepEqual([profit.taken_off_usd, profit.agreed.models[0]?.taken_off_usd], [taken_off_usd, taken_off_usd])
    assert.equal(nano(profit.net_revenue_usd), nano(profit.revenue_usd) - nano(taken_off_usd) + nano(shortfall_usd))
    for (const span of [1, 24]) {
      store.database.exec(`update terms_sum set amount = amount + 1 where span_h = ${span}`)
      assert.equal(check(store).first_broken?.what, 'terms')
      store.database.exec(`update terms_sum set amount = amount - 1 where span_h = ${span}`)
    }
  }
})

test('what cannot be agreed to is refused; a version is never changed, and what has its place ends by its own', () => {
  using factory = opened()
  const { store } = factory
  const hour = hourOf(start_ms)
  const refused: [Partial<Declaring>, RegExp][] = [
    [{ tiers: [] }, /no tier/],
    [{ kind: 'volume', tiers: [{ from: 0n, off: 2_000_000n }] }, /more than all/],
    [{ kind: 'free', amount: -1n }, /from nothing/],
    [{ kind: 'free', amount: 10n ** 18n }, /billion/],
    [{ kind: 'free', amount: 5n, from_hour: hour - 1 }, /the hour under way, or later/],
    [{ kind: 'free', amount: 5n, class: 'reasoning', counts: 'nano-USD' }, /class/],
    [{ kind: 'commitment', counts: 'nano-USD', amount: 5n, tenant: null }, /one tenant/],
    [{ kind: 'commitment', counts: 'nano-USD', amount: 5n, from_hour: hour + 1 }, /with a month/],
    [{ kind: 'free', amount: 5n, model: 'a b' }, /model name/],
  ]
  for (const [more, message] of refused)
    assert.throws(
      () => declareAgreement(store, declared(more), start_ms),
      (error: unknown) => {
        assert(error instanceof RegistryError && error.fault === 'invalid', String(error))
        assert.match(error.message, message)
        return true
      },
    )
  const first = declareAgreement(store, declared({ kind: 'free', amount: 5n }), start_ms)
  const later = declareAgreement(store, declared({ kind: 'free', amount: 9n, from_hour: hour + 50 }), start_ms)
  assert.throws(() => endAgreement(store, first.version, undefined, start_ms), /terms 2 take the place of 1/)
  assert.deepEqual([first.from_hour, later.version], [hour, 2])
  const end = endAgreement(store, later.version, undefined, start_ms)
  assert.deepEqual([end.ended, end.from_hour, end.version], [true, hour + 50, 3])
  assert.throws(() => endAgreement(store, later.version, undefined, start_ms), /terms 3 take the place/)
  assert.throws(() => endAgreement(store, end.version, undefined, start_ms), /no terms 3/)
  assert.equal(listAgreements(store).length, 3)
})

test('a tenant that comes later has the terms of all tenants, and pays by them from its first hour on', () => {
  using factory = opened()
  const { store } = factory
  declareAgreement(store, declared({ tenant: null, kind: 'free', amount: 10n ** 9n }), start_ms)
  createApplication(store, acme, 'support', start_ms + 3 * hour_ms)
  ingestJournal(store, gateway, journaled(traffic(5, 30, start_ms + 3 * hour_ms)))
  settle(store, start_ms + 5 * day_ms)
  const made = agree(store, 5, start_ms + 5 * day_ms)
  assert.deepEqual([made.due_usd, made.taken_off_usd], ['0', made.total_usd])
  assert.notEqual(made.total_usd, '0')
})

/** Hours whose beginning is kept, each as it is when worked out from the first hour on. */
function keptHours(store: Store): number[] {
  const kept = all<{ hour: number }>(store.database, "select hour from terms_month where tenant = 'acme' order by hour")
  for (const { hour } of kept) {
    const state = [...settledFromBeginning(store, acme, hour)].at(-1)?.state ?? noTerms
    assert.deepEqual(keptUntil(store, acme, hour), { hour, state })
  }
  return kept.map(({ hour }) => hour)
}

test('what is kept of days and of the next hour is what all hours before left, whatever is learned later', () => {
  for (let seed = 1; seed <= 3; seed++) {
    using factory = opened()
    const { store } = factory
    const february = hourOf(Date.UTC(2026, 1, 1))
    const rows = traffic(seed, 200)
    const late = rows.filter(
      ({ tenant, closed_ms }, at) => tenant === acme && at % 5 === 3 && hourOf(closed_ms) < february,
    )
    assert(late.length > 5)
    grantCredit(store, asked({ amount: nanoDollars(2_000_000n) }), start_ms)
    let seq = 1
    const book = (batch: readonly CloseRow[], now_ms: number): void => {
      settle(store, now_ms)
      ingestJournal(store, gateway, journaled(batch, seq))
      seq += batch.length
    }
    for (const row of rows.filter((one) => !late.includes(one))) book([row], row.closed_ms)
    const end_ms = start_ms + 5 * day_ms
    settle(store, end_ms)
    const done = keptHours(store)
    const days = [0, 1, 2, 3, 4].map((day) => february - 24 + 24 * day).filter((hour) => hour < hourOf(end_ms))
    assert.deepEqual(done, [...new Set([...days, hourOf(end_ms) - 1])], `seed ${seed}`)
    for (const row of late.reverse()) {
      book([row], end_ms)
      assert(
        keptUntil(store, acme, hourOf(end_ms)).hour <= hourOf(row.closed_ms),
        'what is no longer so is not gone by',
      )
      settle(store, end_ms)
      assert.deepEqual(keptHours(store), done, `seed ${seed}`)
    }
    agree(store, seed, end_ms)
  }
})

test('of months before the last one their beginnings are kept, and what comes as late as that is right all the same', () => {
  using factory = opened()
  const { store } = factory
  grantCredit(store, asked({ amount: nanoDollars(900_000n) }), start_ms)
  const rows = traffic(6, 150, start_ms, start_ms + 75 * day_ms)
  const [late, early] = [rows.filter((_, at) => at % 30 === 20), rows.filter((_, at) => at % 30 !== 20)]
  let seq = 1
  const end_ms = start_ms + 76 * day_ms
  for (let day_start = start_ms; day_start < end_ms; day_start += day_ms) {
    settle(store, day_start)
    const day = early.filter(({ closed_ms }) => closed_ms >= day_start && closed_ms < day_start + day_ms)
    ingestJournal(store, gateway, journaled(day, seq))
    seq += day.length
  }
  settle(store, end_ms)
  const march = hourOf(Date.UTC(2026, 2, 1))
  const kept = keptHours(store)
  const before = kept.filter((hour) => hour < march)
  assert.deepEqual(before, [hourOf(Date.UTC(2026, 1, 1))])
  assert(kept.length > before.length + 30, 'days of this month and the last')
  ingestJournal(store, gateway, journaled(late, seq))
  settle(store, end_ms)
  keptHours(store)
  agree(store, 6, end_ms)
})

test('what another operator books between a look and its turn is corrected all the same, and a credit sent to both is granted once', () => {
  using factory = opened()
  const { store } = factory
  const rows = traffic(4, 80)
  grantCredit(store, asked(), start_ms)
  ingestJournal(store, gateway, journaled(rows.slice(10)))
  settle(store, start_ms + 2 * day_ms)
  const late = () => void ingestJournal(store, gateway, journaled(rows.slice(0, 10), 71))
  journalReadTo(store, gateway, start_ms + 5 * day_ms)
  closeTerms(lateTurn(store, late), start_ms + 5 * day_ms)
  settle(store, start_ms + 5 * day_ms)
  agree(store, 4, start_ms + 5 * day_ms)

  const bill = asked({ id: 'INV-2' })
  const other = lateTurn(store, () => void grantCredit(store, bill, start_ms + 5 * day_ms))
  assert.equal(grantCredit(other, bill, start_ms + 5 * day_ms).isNew, false)
  assert.equal(held(store, 'payment/acme'), -2_000_000n)
})

test('what is left of a gift goes back, of a purchase it is breakage, and what is returned is paid back', () => {
  using factory = opened()
  const { store } = factory
  const until_hour = hourOf(start_ms) + 2
  grantCredit(store, asked({ id: 'gift', kind: 'promo', until_hour }), start_ms)
  grantCredit(store, asked({ id: 'short', until_hour }), start_ms)
  grantCredit(store, asked({ id: 'long' }), start_ms)
  assert.equal(held(store, 'credit/prepaid/acme/long'), 1_000_000n, 'in the ledger at once')
  settle(store, start_ms + 3 * hour_ms + 2000)
  assert.deepEqual(
    ['promo/acme', 'payment/acme', 'breakage/acme', 'credit/prepaid/acme/short'].map((account) => held(store, account)),
    [0n, -2_000_000n, 1_000_000n, 0n],
  )
  returnCredit(store, 'long', start_ms + 3 * hour_ms)
  settle(store, start_ms + 3 * hour_ms + 5000)
  assert.equal(held(store, 'payment/acme'), -2_000_000n, 'the hour under way may use it')
  settle(store, start_ms + 5 * hour_ms + 2000)
  assert.deepEqual([held(store, 'payment/acme'), held(store, 'credit/prepaid/acme/long')], [-1_000_000n, 0n])
  agree(store, 0, start_ms + 5 * hour_ms)
  assert.throws(() => returnCredit(store, 'long', start_ms + 6 * hour_ms), /has ended/)

  grantCredit(store, asked({ id: 'back' }), start_ms + 6 * hour_ms)
  settle(store, start_ms + 10 * hour_ms)
  returnCredit(store, 'back', start_ms + 7 * hour_ms) // the clock went back
  settle(store, start_ms + 10 * hour_ms)
  assert.equal(held(store, 'credit/prepaid/acme/back'), 0n)
  agree(store, 0, start_ms + 10 * hour_ms)
})

test('the same credit under the same id is granted once; another one is a conflict, and what cannot be is refused', () => {
  using factory = opened()
  const { store } = factory
  const hour = hourOf(start_ms)
  assert.equal(grantCredit(store, asked({ id: 'INV-1' }), start_ms).isNew, true)
  assert.equal(grantCredit(store, asked({ id: 'INV-1' }), start_ms + 5000).isNew, false)
  assert.equal(held(store, 'payment/acme'), -1_000_000n)
  const refused: [Partial<Granting>, string][] = [
    [{ id: 'INV-1', amount: nanoDollars(2n) }, 'conflict'],
    [{ id: 'INV-1', tenant: 'other' }, 'conflict'],
    [{ amount: nanoDollars(0n) }, 'invalid'],
    [{ amount: nanoDollars(10n ** 18n) }, 'invalid'],
    [{ until_hour: hour }, 'invalid'],
    [{ from_hour: hour + 5, until_hour: hour + 5 }, 'invalid'],
    [{ from_hour: hour - 1 }, 'invalid'],
    [{ id: 'a b' }, 'invalid'],
  ]
  for (const [more, fault] of refused)
    assert.throws(
      () => grantCredit(store, asked(more), start_ms),
      (error: unknown) => error instanceof RegistryError && error.fault === fault,
      JSON.stringify(Object.keys(more)),
    )
  assert.equal(held(store, 'payment/acme'), -1_000_000n)
})

const ask = (allowance: string, more: Partial<LeaseAsk>): LeaseAsk => ({
  ...{ allowance, period: 0, free: 0n, reserved: 0n, returned: 0n, want: 0n, ahead: 0n },
  ...more,
})

test('who is served on credit alone is never charged more than credit pays, whatever gateways ask at once', () => {
  for (let seed = 1; seed <= 4; seed++) {
    using factory = opened()
    const { store } = factory
    const roll = dice(seed)
    let [now_ms, number, seq] = [start_ms, 1, 1]
    setCreditOnly(store, acme, true, now_ms)
    if (seed > 1) {
      const tiers = [
        { from: 40_000n, off: 100_000n },
        { from: 90_000n, off: 700_000n },
      ]
      const kinds = ['free', 'graduated', 'volume'] as const
      for (const kind of kinds)
        declareAgreement(
          store,
          declared({ kind, counts: 'nano-USD', amount: 50_000n, tiers: kind === 'free' ? [] : tiers }),
          now_ms,
        )
    }
    const [allowance] = creditAllowances(store)
    assert(allowance)
    const leases = new Leases(store)
    const free = new Map<Incarnation, bigint>()
    const gateways = ['g1', 'g2', 'g3'].map((name) => id<Incarnation>(name))
    for (let step = 0; step < 250; step++) {
      const who = gateways[roll(3)] as Incarnation
      const row = closeRow(number, { at_ms: now_ms, closed_ms: now_ms + roll(900_000) })
      const cost = total(chargesOf(row, new Prices(store.database).of(1)))
      const has = free.get(who) ?? 0n
      if (has < cost) {
        const [grant] = leases.answer(
          who,
          [ask(allowance.id, { free: has, want: cost - has, ahead: cost })],
          now_ms,
        ).grants
        free.set(who, has + (grant?.amount ?? 0n))
      }
      if ((free.get(who) ?? 0n) >= cost) {
        free.set(who, (free.get(who) ?? 0n) - cost)
        ingestJournal(store, gateway, journaled([row], seq++))
        number++
      }
      const more = roll(20)
      if (more === 0) grantCredit(store, asked({ amount: nanoDollars(BigInt(1 + roll(60_000))) }), now_ms)
      if (more === 1) grantCredit(store, asked({ kind: 'promo', amount: nanoDollars(BigInt(1 + roll(9_000))) }), now_ms)
      now_ms += roll(1_200_000)
      if (roll(4) === 0) settle(store, now_ms)
    }
    now_ms += 3 * hour_ms
    settle(store, now_ms)
    const made = statement(store, acme, start_ms - hour_ms, now_ms)
    assert(made.requests > 20, `seed ${seed}: ${made.requests}`)
    assert.equal(made.due_usd, '0', `seed ${seed}`)
    assert.equal(made.taken_off_usd !== '0', seed > 1, `seed ${seed}: ${made.taken_off_usd}`)
    const left = [...creditNow(store, acme, now_ms).left.values()].reduce((sum, amount) => sum + amount, 0n)
    const unused = [...free.values()].reduce((sum, amount) => sum + amount, 0n)
    leases.answer(gateways[0] as Incarnation, [], now_ms) // so that they know of the last credit
    assert.equal(leases.left({ ...allowance, amount: creditAllowances(store)[0]?.amount ?? 0n }, now_ms) + unused, left)
    agree(store, seed, now_ms - (now_ms % hour_ms))
  }
})

test('credit that ends is no longer served; a budget of the same kind and credit exclude each other', () => {
  using factory = opened()
  const { store } = factory
  const budget = { scope: 'tenant', of: 'acme', unit: 'nano-USD', renews: 'never', amount: 5n } as const
  setCreditOnly(store, acme, true, start_ms)
  const amount = (): bigint | undefined => creditAllowances(store)[0]?.amount
  assert.equal(amount(), 0n)
  const hour = hourOf(start_ms)
  grantCredit(store, asked({ id: 'a', until_hour: hour + 3 }), start_ms)
  grantCredit(store, asked({ id: 'b', amount: nanoDollars(500n), from_hour: hour + 2 }), start_ms)
  assert.equal(amount(), 1_000_000n, 'what begins later is not there yet')
  settle(store, start_ms + 2 * hour_ms)
  assert.equal(amount(), 1_000_500n)
  settle(store, start_ms + 3 * hour_ms)
  assert.equal(amount(), 500n)
  assert.throws(() => setAllowance(store, budget, start_ms), /as long as its credit lasts/)
  setCreditOnly(store, acme, false, start_ms)
  assert.deepEqual(creditAllowances(store), [])
  setAllowance(store, budget, start_ms)
  assert.throws(() => setCreditOnly(store, acme, true, start_ms), /never renews/)
})

test('the check names a line that is not what its hours make of it', () => {
  using factory = opened()
  const { store } = factory
  grantCredit(store, asked(), start_ms)
  ingestJournal(store, gateway, journaled(traffic(9, 60)))
  settle(store, start_ms + 5 * day_ms)
  assert.equal(check(store).conserved, true)
  const drawn = "id like 'terms/acme/%/prepaid/prepaid/%'"
  const line = one<{ id: string }>(store.database, `select id from transfer where ${drawn} order by id limit 1`)
  assert(line)
  store.database.exec(`update transfer set amount = amount + 1 where id = '${line.id}'`)
  const found = check(store)
  assert.equal(found.conserved, false)
  assert.equal(found.first_broken?.what, 'terms')
  assert.equal(ended(rerate(store, acme, start_ms - hour_ms, start_ms + 5 * day_ms)).equal, false)
})
