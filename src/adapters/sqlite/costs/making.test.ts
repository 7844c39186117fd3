import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../../books/cost-hour.ts'
import type { JobTerms } from '../../../books/making.ts'
import type { CloseRow } from '../../../books/row.ts'
import { nanoDollars } from '../../../units/amount.ts'
import { id } from '../../../units/ids.ts'
import { check } from '../check.ts'
import { ingestJournal, journalReadTo, noteJournal } from '../ingest.ts'
import { allBig } from '../query.ts'
import { rollUp } from '../rollup.ts'
import type { Store } from '../store.ts'
import { closeRow, dice, gateway, journaled, measuredStore, testHome } from '../testing.ts'
import { costs } from './answer.ts'
import { closeHours } from './close-hours.ts'
import { declarations, declare } from './declarations.ts'
import { borneJobs } from './making.ts'

const first = 500_016
const begin_ms = first * hour_ms

const train = (store: Store, more: Partial<JobTerms>, from = first, name = 'm/first'): void => {
  const amount = nanoDollars(9_000_000_000n)
  const terms = { per: 'job', amount, energy_mj: 7_200_000_000n, months: null, tokens: null, ...more } as const
  declare(store, { kind: 'training', name, from_ms: from * hour_ms, terms, note: '' }, begin_ms + 9 * hour_ms)
}

/** Requests of 150 tokens each that end in these hours; one in four came to nothing. */
function serve(store: Store, seed: number, hours: number, of = gateway, count = 40): void {
  const roll = dice(seed)
  const rows = Array.from({ length: count }, (_, number) => {
    const at_ms = begin_ms + roll(hours * hour_ms - 20_000)
    const more: Partial<CloseRow> = { at_ms, closed_ms: at_ms + 500 + roll(15_000), tenant: id(`t${roll(3)}`) }
    return {
      ...closeRow(number + 1, more, of),
      outcome: number % 4 === 0 ? ('timeout' as const) : ('complete' as const),
    }
  })
  noteJournal(store, of)
  ingestJournal(store, of, journaled(rows))
}

function settle(store: Store, hours: number, of = [gateway]): void {
  const now_ms = begin_ms + hours * hour_ms + 5000
  for (const each of of) journalReadTo(store, each, now_ms)
  for (let turn = 0; turn < 3000 && closeHours(store, now_ms); turn++);
}

const borne = (store: Store): bigint =>
  allBig<{ amount: bigint }>(store.database, "select amount from balance where account like 'cost/making/%'").reduce(
    (sum, { amount }) => sum + amount,
    0n,
  )
const served = (store: Store): number => {
  const { classes } = costs(store, first, first + 10, 'model')
  return classes.reduce((sum, { tokens }) => sum + tokens, 0)
}

test('over tokens: served tokens bear it, at most all of it, and what was for nothing bears none', () => {
  for (const seed of [1, 2, 3]) {
    using home = testHome()
    const store = measuredStore(home)
    train(store, { tokens: 9_000_000 })
    serve(store, seed, 5)
    settle(store, 6)
    assert.equal(
      borne(store),
      1000n * BigInt(served(store)),
      `$9 over 9 M tokens is 1000 nano-dollars each, seed ${seed}`,
    )
    assert(served(store) > 0)
    const answer = costs(store, first, first + 6, 'model')
    const nano = (text: string): bigint => BigInt(Math.round(Number(text) * 1e9))
    const parts = [answer.usage_usd, answer.waste_usd, answer.idle_usd, answer.overhead_usd, answer.making_usd]
    assert.equal(nano(answer.making_usd), borne(store))
    assert.equal(
      parts.reduce((sum, text) => sum + nano(text), 0n),
      nano(answer.total_usd),
    )
    const [line] = answer.rows
    assert.deepEqual([line?.name, line?.making_usd], ['m', answer.making_usd])
    assert.equal(line?.figures.making_usd_per_mtoken.value?.toFixed(6), '1.000000')
    assert.equal(check(store).first_broken, undefined)

    train(store, { tokens: 1000 })
    settle(store, 6)
    assert.equal(borne(store), 9_000_000_000n, 'expected were fewer than came: all is borne, and not more')
    assert.equal(check(store).first_broken, undefined)
    const [job, ...others] = borneJobs(store, declarations(store))
    assert.deepEqual([job?.borne, job?.served, others], [9_000_000_000n, served(store), []])
    store.close()
  }
})

test('over months: each hour the same, and a request that came late changes nothing', () => {
  using home = testHome()
  const store = measuredStore(home)
  train(store, { months: 1, amount: nanoDollars(730_000n) })
  settle(store, 4)
  assert.equal(borne(store), 4000n)
  assert.equal(costs(store, first, first + 4, 'tenant').not_allocated_usd, '0.000004', 'nobody used it')
  settle(store, 731)
  assert.equal(borne(store), 730_000n)
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('tokens that come late, in an hour that is closed, are borne as a correction of it and of those after it', () => {
  using home = testHome()
  const store = measuredStore(home)
  train(store, { tokens: 1700, amount: nanoDollars(1_000_000_007n) })
  serve(store, 4, 3, gateway, 6)
  settle(store, 4)
  const before = borne(store)
  assert(before > 0n && before < 1_000_000_007n)
  serve(store, 5, 2, id('gw2'), 8)
  settle(store, 4, [gateway, id('gw2')])
  assert.equal(check(store).first_broken, undefined)
  const expected = (1_000_000_007n * BigInt(served(store))) / 1700n
  assert.equal(borne(store), expected < 1_000_000_007n ? expected : 1_000_000_007n)
  assert(borne(store) > before)
  store.close()
})

test('a job that is declared of the past corrects its hours, one that is declared again ends the first', () => {
  using home = testHome()
  const store = measuredStore(home)
  train(store, { months: 1, amount: nanoDollars(730_000n) }, first + 2)
  settle(store, 6)
  assert.equal(borne(store), 4000n)
  train(store, { months: 1, amount: nanoDollars(1_460_000n) }, first)
  settle(store, 6)
  assert.equal(borne(store), 8000n, 'two hours of the one, then four of the other')
  train(store, { months: 1, amount: nanoDollars(0n) }, first + 4)
  settle(store, 8)
  assert.equal(borne(store), 6000n)
  assert.equal(check(store).first_broken, undefined)
  store.close()
})

test('the check names what bears too much, and tokens that are not those of the requests', () => {
  for (const [change, says] of [
    [
      'update served_hour set tokens = tokens + 1 where hour = (select min(hour) from served_hour)',
      /served.*by its requests/,
    ],
    ["update cost_hour set amount = amount + 1 where source like 'job/%'", /job\/training.*are booked/],
  ] as const) {
    using home = testHome()
    const store = measuredStore(home)
    train(store, { tokens: 1_000_000 })
    serve(store, 6, 2)
    settle(store, 3)
    assert.equal(check(store).conserved, true)
    store.database.exec(change)
    assert.match(JSON.stringify(check(store).first_broken), says)
    store.close()
  }
})

test('rolled up, what was borne stays, and what comes after goes on from it', () => {
  using home = testHome()
  const store = measuredStore(home)
  train(store, { tokens: 3000 })
  serve(store, 7, 3, gateway, 12)
  settle(store, 72)
  const before = borne(store)
  for (let turn = 0; turn < 100 && rollUp(store, begin_ms + 48 * hour_ms); turn++);
  assert.equal(borne(store), before)
  settle(store, 80)
  assert.equal(borne(store), before)
  assert.equal(check(store).first_broken, undefined)
  store.close()
})
