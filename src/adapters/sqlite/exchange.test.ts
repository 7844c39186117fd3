/** A tenant that is billed in euros over days with different rates: everything that says what it owes says the same, for ever. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../books/cost-hour.ts'
import { roundedOnce } from '../../books/exchange/rate.ts'
import { NoExchangeRate } from '../../books/exchange/tenant-exchange.ts'
import { checkFocusRow } from '../../books/focus/check.ts'
import type { CloseRow } from '../../books/row.ts'
import type { Statement } from '../../books/statement.ts'
import { statementCsv } from '../../books/statement-csv.ts'
import { statementHtml } from '../../books/statement-html.ts'
import { formatDecimal, nanoDollars, parseDecimal } from '../../units/amount.ts'
import type { TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { statement } from './answers.ts'
import type { Declaring } from './exchange.ts'
import { declareRates, listRates, newestExchange, setCurrency } from './exchange.ts'
import { focusRows } from './focus.ts'
import { ingestJournal, journalReadTo } from './ingest.ts'
import { RegistryError } from './registry/change.ts'
import { rerate } from './rerate.ts'
import { rollUp } from './rollup.ts'
import type { Store } from './store.ts'
import { openStore } from './store.ts'
import type { Declaring as Agreeing } from './terms/agreements.ts'
import { declareAgreement } from './terms/agreements.ts'
import { closeTerms } from './terms/close-terms.ts'
import { grantCredit } from './terms/credits.ts'
import { closeRow, dice, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'
import { usageEvents } from './usage-events.ts'

const day_ms = 86_400_000
const start_ms = Date.UTC(2026, 0, 1)
const [start, days] = [start_ms / day_ms, 20]
const acme = id<TenantId>('acme')

function asked(roll: (below: number) => number): CloseRow[] {
  return Array.from({ length: 300 }, (_, index) => {
    const at_ms = start_ms + roll(days * day_ms)
    return closeRow(index + 1, {
      ...{ at_ms, closed_ms: at_ms, model: id('m'), outcome: 'complete', price_version: 1 },
      tenant: id(roll(4) === 0 ? 'other' : 'acme'),
      application: id(roll(2) === 0 ? 'chat' : 'search'),
      attempts: [{ number: 1, replica: id('hosted'), usage: embeddedUsage(roll(5000), roll(100), roll(700)) }],
    })
  })
}

const eur = (rates: Declaring['rates'], more: Partial<Declaring> = {}): Declaring => ({
  ...{ currency: 'EUR', rates, note: '', correct: false },
  ...more,
})
const rate = (day: number, text: string) => ({ day: start + day, rate: (parseDecimal(text, 12) ?? 0n) as never })

function billedInEuros(home: ReturnType<typeof testHome>, agree: (store: Store) => void = () => undefined): Store {
  const store = openStore(home)
  setTestPrice(store)
  store.database.exec("insert into tenant (id, created_ms) values ('acme', 0), ('other', 0)")
  declareRates(store, eur([rate(-3, '0.923456789012'), rate(4, '0.9111'), rate(9, '0.87654321')]), start_ms)
  setCurrency(store, { tenant: acme, currency: 'EUR', from_day: start, note: '' }, start_ms)
  agree(store)
  ingestJournal(store, gateway, journaled(asked(dice(7))))
  return store
}

const exact = (text: string | null | undefined): bigint => parseDecimal(text ?? '', 30) ?? assert.fail(String(text))
const sum = (values: Iterable<bigint>): bigint => [...values].reduce((a, b) => a + b, 0n)
/** 10^-30 → nano-units, as the statement rounds. */
const nano = (value: bigint): string => formatDecimal(roundedOnce(value / 10n ** 9n), 9)
const whole = (store: Store, exchange?: number): Statement =>
  statement(store, acme, start_ms, start_ms + days * day_ms, exchange)

test('lines add up to the total; FOCUS by hour and by day and the events come to the same; the dollars are untouched', () => {
  using home = testHome()
  const store = billedInEuros(home)
  const made = whole(store)
  const { billing = assert.fail('no billing') } = made
  assert.deepEqual(
    billing.rates.map((used) => [used.rate_day, used.rate]),
    [
      ['2025-12-29', '0.923456789012'],
      ['2026-01-05', '0.9111'],
      ['2026-01-10', '0.87654321'],
    ],
  )
  assert.equal(sum(made.lines.map(({ billed }) => exact(billed))), exact(billing.total))
  const wanted = { tenant: undefined, from: start * 24, to: (start + days) * 24, provider: 'Mill' }
  for (const by of ['hour', 'day'] as const) {
    const rows = [...focusRows(store, { ...wanted, by })]
    assert.deepEqual(rows.flatMap(checkFocusRow), [])
    const its = rows.filter((row) => row.BillingAccountId === 'acme')
    assert(its.length > 50 && its.every((row) => row.BillingCurrency === 'EUR' && row.PricingCurrency === 'USD'))
    assert.equal(nano(sum(its.map((row) => exact(row.BilledCost)))), billing.total, by)
    assert.equal(sum(its.map((row) => exact(row.PricingCurrencyEffectiveCost))), exact(made.total_usd), by)
    for (const row of rows.filter((each) => each.BillingAccountId === 'other'))
      assert.deepEqual([row.BillingCurrency, row.x_ExchangeRate], ['USD', null])
  }
  const everything = { from_ms: 0, to_ms: Number.MAX_SAFE_INTEGER, after: undefined, limit: 1000 }
  const { events } = usageEvents(store, { ...everything, tenant: 'acme' })
  assert.equal(nano(sum(events.map(({ data }) => exact(data.billed?.cost)))), billing.total)
  const others = usageEvents(store, { ...everything, tenant: 'other' }).events
  assert(others.length > 20 && others.every(({ data }) => data.billed === undefined))
  assert.equal(statement(store, id('other'), start_ms, start_ms + days * day_ms).billing, undefined)
  store.close()
})

test('a statement that names its declaration is made again bit for bit: after a correction, late rates, another currency and a roll-up', () => {
  using home = testHome()
  const store = billedInEuros(home)
  const forms = (made: Statement): string[] => [JSON.stringify(made), statementCsv(made), statementHtml(made)]
  const wanted = { tenant: acme, from: start * 24, to: (start + days) * 24, by: 'day', provider: 'Mill' } as const
  const issued = whole(store)
  const version = issued.billing?.exchange_version ?? 0
  const focus = [...focusRows(store, wanted)]
  const again = (): void => {
    assert.deepEqual(forms(whole(store, version)), forms(issued))
    assert.deepEqual([...focusRows(store, { ...wanted, exchange: version })], focus)
  }
  declareRates(store, eur([rate(4, '0.9112')], { correct: true, note: 'a slip' }), start_ms + 1)
  const corrected = whole(store)
  assert.notEqual(corrected.billing?.total, issued.billing?.total)
  assert.equal(corrected.billing?.exchange_version, version + 1)
  again()
  declareRates(store, eur([rate(2, '0.95')]), start_ms + 2)
  setCurrency(store, { tenant: acme, currency: 'USD', from_day: start + 31, note: '' }, start_ms + 3)
  again()
  assert.equal(whole(store).total_usd, issued.total_usd)
  const work = rerate(store, acme, start_ms, start_ms + days * day_ms)
  let step = work.next()
  while (!step.done) step = work.next()
  assert.equal(step.value.equal, true)
  while (rollUp(store, start_ms + 10 * day_ms));
  again()
  const told = listRates(store, 'EUR').filter(({ day }) => day === start + 4)
  assert.deepEqual(
    told.map(({ version, corrected, note }) => [version, corrected, note]),
    [
      [1, true, ''],
      [version + 1, false, 'a slip'],
    ],
  )
  store.close()
})

/** A free quota and a tier, credit of so much, and a commitment of so much a month. */
function withTerms(store: Store, credit: bigint, commitment: bigint): void {
  const each = { tenant: acme, model: null, class: null, counts: 'tokens', amount: 0n, tiers: [], note: '' } as const
  const from_hour = start_ms / hour_ms
  const at = (more: Partial<Agreeing>) =>
    declareAgreement(store, { ...each, kind: 'free', from_hour, ...more }, start_ms)
  at({ amount: 20_000n })
  at({ kind: 'graduated', tiers: [{ from: 100_000n, off: 33_333n }] })
  if (commitment > 0n) at({ kind: 'commitment', counts: 'nano-USD', amount: commitment })
  const granted = { tenant: acme, kind: 'promo', from_hour: undefined, until_hour: null, id: 'c', note: '' } as const
  grantCredit(store, { ...granted, amount: nanoDollars(credit) }, start_ms)
}

test('what is taken off, what credits pay and what a commitment lacks are in euros too, and nothing is due where nothing is', () => {
  for (const [credit, commitment] of [
    [10n ** 12n, 0n],
    [10n ** 6n, 0n],
    [10n ** 7n, 10n ** 9n],
  ] as const) {
    using home = testHome()
    const store = billedInEuros(home, (made) => withTerms(made, credit, commitment))
    const end_ms = Date.UTC(2026, 1, 1)
    journalReadTo(store, gateway, end_ms + day_ms)
    for (let turn = 0; turn < 100 && closeTerms(store, end_ms + day_ms); turn++);
    const made = statement(store, acme, start_ms, end_ms)
    const { total, taken_off, shortfall, credit: paid, due } = made.billing ?? assert.fail('no billing')
    assert.equal(exact(due), exact(total) - exact(taken_off) + exact(shortfall) - exact(paid))
    assert.deepEqual([due === '0', shortfall !== '0'], [made.due_usd === '0', commitment > 0n], due)
    assert(exact(taken_off) > 0n && exact(paid) > 0n)
    const of = (kinds: readonly string[]): bigint =>
      sum(made.agreed.filter(({ kind }) => kinds.includes(kind)).map(({ billed }) => exact(billed)))
    assert.deepEqual([of(['free', 'graduated']), of(['commitment'])], [exact(taken_off), exact(shortfall)])
    assert.equal(sum(made.credits.map(({ billed }) => exact(billed))), exact(paid))
    assert.equal(sum(made.lines.map(({ billed }) => exact(billed))), exact(total))
    const wanted = { tenant: acme, from: start_ms / hour_ms, to: end_ms / hour_ms, by: 'day', provider: 'M' } as const
    const rows = [...focusRows(store, wanted)]
    assert.deepEqual(rows.flatMap(checkFocusRow), [])
    assert.equal(nano(sum(rows.map((row) => exact(row.BilledCost)))), due)
    for (const [form, text] of [
      ['csv', statementCsv(made)],
      ['html', statementHtml(made)],
    ] as const)
      for (const said of [total, taken_off, paid, due].filter(
        (each) => form === 'html' || each === due || each === total,
      ))
        assert(text.includes(said), `${form}: ${said}`)
    store.close()
  }
})

test('a day that has a rate keeps it; the same again is nothing new; a correction says so, and why; what has no rate is refused', () => {
  using home = testHome()
  const store = billedInEuros(home)
  const before = newestExchange(store)
  const refused = (more: Partial<Declaring>, fault: string, param: string): void =>
    assert.throws(
      () => declareRates(store, eur([rate(5, '0.9'), rate(9, '0.9')], more), start_ms),
      (error: unknown) => error instanceof RegistryError && error.fault === fault && error.param === param,
    )
  refused({}, 'conflict', 'rates')
  refused({ correct: true }, 'invalid', 'note')
  assert.deepEqual(declareRates(store, eur([rate(4, '0.91110')]), start_ms), { version: null, days: 0 })
  assert.equal(newestExchange(store), before, 'all of it or nothing')
  assert.equal(listRates(store, 'EUR').length, 3)
  const to = (currency: string, from_day: number) =>
    setCurrency(store, { tenant: 'other', currency, from_day, note: '' }, start_ms)
  assert.throws(() => to('JPY', start), NoExchangeRate)
  assert.throws(() => to('EUR', start - 31), NoExchangeRate)
  assert.deepEqual(to('EUR', start + 31), { version: before + 1 })
  assert.deepEqual(to('EUR', start + 31), { version: before + 1 }, 'said again')
  assert.throws(() => whole(store, before + 9), /nothing was declared/)
  assert.throws(
    () => statement(store, id('other'), start_ms, start_ms + 40 * day_ms),
    /billed in USD until 2026-02-01, and in EUR/,
  )
  store.close()
})
