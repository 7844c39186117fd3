import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../../books/cost-hour.ts'
import { nanoDollars, parseDecimal } from '../../../units/amount.ts'
import { check } from '../check.ts'
import { ingestJournal, journalReadTo } from '../ingest.ts'
import { run } from '../query.ts'
import { rollUp } from '../rollup.ts'
import type { Store } from '../store.ts'
import { declareAgreement } from '../terms/agreements.ts'
import { closeTerms } from '../terms/close-terms.ts'
import { gateway, journaled, testHome } from '../testing.ts'
import { subjects, transfersPage } from '../transfers.ts'
import { costs } from './answer.ts'
import { declare } from './declarations.ts'
import { costFlows, pnl } from './pnl.ts'
import { sumOldHour } from './pnl-sums.ts'
import { asked, begin_ms, booked, first, hours, settle, traffic, usd } from './testing-hours.ts'

const last = first + hours

/** What two answers have in common, from two ways: sums that are kept, and every transfer. */
function sameAsTransfers(store: Store, from: number, to: number): void {
  for (const step_h of [1, 24] as const) {
    const told = pnl(store, from, to, step_h)
    for (const by of ['tenant', 'model', 'site'] as const) {
      const { rows, not_allocated_usd, figures, ...whole } = costs(store, from, to, by)
      for (const name of ['usage_usd', 'idle_usd', 'waste_usd', 'overhead_usd', 'making_usd', 'total_usd'] as const)
        assert.equal(told[name], whole[name], name)
      assert.equal(told.figures.fully_loaded_margin_usd.value, figures.fully_loaded_margin_usd.value)
      const lines = told[`${by}s`]
      assert.equal(lines.not_allocated_usd, not_allocated_usd)
      const money = (each: (typeof rows)[number]) => [
        ...[
          each.name,
          each.usd,
          each.own_usd,
          each.making_usd,
          each.allocated_usd,
          each.loaded_usd,
          each.requests,
          each.tokens,
        ],
        ...[each.figures.revenue_usd.value, each.figures.fully_loaded_margin_usd.value],
      ]
      assert.deepEqual(lines.rows.map(money), rows.map(money))
    }
    assert.equal(told.residual_usd, '0')
    assert.equal(told.slots.length, step_h === 1 ? to - from : 1)
  }
}

/** A month's peak and a model's training, which change hours that are closed. */
function besideTheHour(store: Store): void {
  const now_ms = begin_ms + 9 * hour_ms
  const [per_kw, amount] = [nanoDollars(3_000_000_000_000n), nanoDollars(9_000_000_000n)]
  const peak = { per: 'kW', amount: per_kw, interval_min: 15, rule: 'even', offset_min: 0 } as const
  declare(store, asked('demand', 'all', peak), now_ms)
  declare(
    store,
    asked('training', 'm/first', { per: 'job', amount, energy_mj: 0n, months: null, tokens: 9000 }),
    now_ms,
  )
  settle(store, begin_ms + hours * hour_ms + 5000)
}

test('profit and loss from kept sums is what all transfers come to, by hour and day, and after corrections', () => {
  for (const seed of [1, 2, 3]) {
    using home = testHome()
    const { store, rows } = booked(home, seed)
    besideTheHour(store)
    sameAsTransfers(store, first, last)
    assert(pnl(store, first, last, 1).making_usd !== '0', 'a training is borne')
    sameAsTransfers(store, first + 1, first + 2)
    assert.equal(check(store).conserved, true, `seed ${seed}`)
    const before = pnl(store, first, last, 1)

    declare(store, asked('capacity', 'gpu', usd(1.2)), begin_ms + 9 * hour_ms)
    const late = traffic(seed + 50, 90).slice(rows.length)
    ingestJournal(store, gateway, journaled(late, rows.length + 1))
    settle(store, begin_ms + hours * hour_ms + 9000)
    sameAsTransfers(store, first, last)
    assert.notEqual(pnl(store, first, last, 1).total_usd, before.total_usd)
    assert.notEqual(pnl(store, first, last, 1).revenue_usd, before.revenue_usd)
    assert.equal(check(store).conserved, true, `seed ${seed}`)
    store.close()
  }
})

test('a sum that is not that of its transfers is found by the audit, and so is a day that is not its hours', () => {
  using home = testHome()
  const { store } = booked(home, 4)
  for (const span of [1, 24]) {
    const change = (by: number): void =>
      void run(
        store.database,
        `update pnl_sum set amount = amount + ${by} where span_h = ? and dimension = 'tenant'`,
        span,
      )
    change(1)
    const found = check(store)
    assert.deepEqual([found.conserved, found.first_broken?.what], [false, 'hour'], `span ${span}`)
    change(-1)
  }
  assert.equal(check(store).conserved, true)
  store.close()
})

test('hours that were closed before there were sums get the same ones, rolled up or not', () => {
  using home = testHome()
  const { store } = booked(home, 5)
  besideTheHour(store)
  const was = pnl(store, first, last, 1)
  const forget = (): void => {
    run(store.database, 'delete from pnl_sum')
    run(store.database, 'update closed_hour set summed = 0')
    while (sumOldHour(store));
  }
  forget()
  assert.deepEqual(pnl(store, first, last, 1), was)
  while (rollUp(store, begin_ms + 24 * hour_ms));
  assert.deepEqual(pnl(store, first, last, 1), was, 'what is rolled up stays in the sums')
  forget()
  const { slots: _, ...sums } = pnl(store, first, last, 1)
  const { slots: __, ...before } = was
  assert.deepEqual(sums, before, 'of a day that is rolled up its first hour has all of it')
  store.close()
})

test('flows lead from every source to who bears it, without a residual; their transfers add up to them', () => {
  using home = testHome()
  const { store } = booked(home, 6)
  besideTheHour(store)
  declare(store, asked('capacity', 'gpu', usd(1.7)), begin_ms + 9 * hour_ms)
  settle(store, begin_ms + hours * hour_ms + 9000)
  const time = { from_ms: begin_ms, to_ms: begin_ms + hours * hour_ms }
  for (const unit of ['nano-USD', 'ugCO2e'] as const) {
    const { flows, residuals, total } = costFlows(store, first, last, unit)
    assert.deepEqual(Object.values(residuals), ['0', '0'])
    const into = (nodes: readonly string[]) => flows.filter(({ from }) => nodes.includes(from))
    const kinds = ['usage', 'idle', 'waste', 'overhead', 'making']
    const nano = (text: string): bigint => BigInt(unit === 'ugCO2e' ? text : Math.round(Number(text) * 1e9))
    const sum = (some: typeof flows): bigint => some.reduce((all, { amount }) => all + nano(amount), 0n)
    assert.equal(sum(into(kinds)), nano(total))
    assert.equal(sum(flows) - sum(into(kinds)), nano(total))
    assert(flows.some(({ to }) => to === 'tenant/t1') && flows.some(({ to }) => to === 'idle/shared-pool'))
    for (const { from, to, amount, out, into } of flows) {
      let [moved, after, backs, pages]: [bigint, string | undefined, number, number] = [0n, undefined, 0, 0]
      do {
        const what = unit === 'ugCO2e' ? 'carbon' : 'cost'
        const page = transfersPage(store, { what, ...time, out: out ?? undefined, into, after, limit: 7 })
        moved += BigInt(page.sum)
        backs += page.transfers.filter(({ back }) => back).length
        after = page.next ?? undefined
        pages++
      } while (after !== undefined && pages < 1000)
      assert.equal(moved, nano(amount), `${from} → ${to}`)
      if (from === 'capacity/gpu' && to === 'usage') assert(backs > 0 && pages > 1, 'corrections flow back')
    }
  }
  store.close()
})

/** From before the first request on. */
function agreeOn(store: Store, tenant: string): void {
  const given = { tenant, model: null, class: null, counts: 'nano-USD', from_hour: undefined, note: '' } as const
  const tiers = [{ from: 0n, off: 70_000n }]
  declareAgreement(store, { ...given, kind: 'graduated', amount: 0n, tiers }, begin_ms)
  declareAgreement(store, { ...given, kind: 'volume', amount: 0n, tiers }, begin_ms)
}

test('revenue, tokens, energy and terms are listed too, by request, interval and hour, each transfer once', () => {
  using home = testHome()
  const { store } = booked(home, 7)
  const time = { from_ms: begin_ms, to_ms: begin_ms + hours * hour_ms }
  const listed = (what: (typeof subjects)[number], patterns: { out?: string; into?: string } = {}) => {
    const found = []
    let after: string | undefined
    do {
      const page = transfersPage(store, {
        ...{ what, ...time, after, limit: 9 },
        ...{ out: patterns.out, into: patterns.into },
      })
      found.push(...page.transfers)
      after = page.next ?? undefined
    } while (after !== undefined)
    assert.equal(new Set(found.map(({ id }) => id)).size, found.length, what)
    return found
  }
  for (const tenant of ['t0', 't1', 't2']) agreeOn(store, tenant)
  journalReadTo(store, gateway, begin_ms + 9 * hour_ms)
  for (let turn = 0; turn < 50 && closeTerms(store, begin_ms + 9 * hour_ms); turn++);
  for (const what of subjects) assert(listed(what).length > 10, what)
  const profit = pnl(store, first, last, 1)
  const takenOff = (whose: string): bigint =>
    listed('terms', { out: whose }).reduce((sum, { amount, back }) => sum + (back ? -1n : 1n) * BigInt(amount), 0n)
  assert.equal(takenOff('discount'), parseDecimal(profit.taken_off_usd, 9))
  const own = profit.agreed.tenants.find(({ name }) => name === 't1')
  assert.equal(takenOff('discount/t1'), parseDecimal(own?.taken_off_usd ?? '', 9))
  const charged = listed('revenue').reduce((sum, { amount }) => sum + BigInt(amount), 0n)
  assert.equal(Number(charged) / 1e9, pnl(store, first, last, 1).figures.revenue_usd.value)
  const mine = listed('revenue', { out: 'tenant/t1' })
  assert(mine.length > 0 && mine.every(({ from, request }) => from.startsWith('tenant/t1/') && request !== null))
  assert.deepEqual(listed('revenue', { out: 'tenant/nobody' }), [])
  assert.equal(listed('revenue', { into: 'revenue/m' }).length, listed('revenue').length)
  assert.equal(
    listed('energy').reduce((sum, { amount }) => sum + BigInt(amount), 0n),
    BigInt(hours * 60 * 10_000_000 + ((hours * 60 - 1) * hours * 60) / 2),
  )
  store.close()
})
