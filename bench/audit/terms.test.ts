import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportBooks } from '../../src/adapters/sqlite/export.ts'
import { ingestJournal, journalReadTo } from '../../src/adapters/sqlite/ingest.ts'
import { createApplication } from '../../src/adapters/sqlite/registry/tenants.ts'
import { rollUp } from '../../src/adapters/sqlite/rollup.ts'
import { openStore } from '../../src/adapters/sqlite/store.ts'
import { type Declaring, declareAgreement, endAgreement } from '../../src/adapters/sqlite/terms/agreements.ts'
import { closeTerms } from '../../src/adapters/sqlite/terms/close-terms.ts'
import { grantCredit } from '../../src/adapters/sqlite/terms/credits.ts'
import {
  closeRow,
  dice,
  embeddedUsage,
  gateway,
  journaled,
  setLaterPrice,
  setTestPrice,
  testHome,
} from '../../src/adapters/sqlite/testing.ts'
import { nanoDollars } from '../../src/units/amount.ts'
import { id } from '../../src/units/ids.ts'
import { parseExport } from './read.ts'
import type { Books } from './records.ts'
import { checkTerms } from './terms.ts'

const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
const start_ms = Date.UTC(2026, 0, 30, 5)
const end_ms = Date.UTC(2026, 2, 1, 3)
const start = start_ms / hour_ms

/** A factory's books over two ends of a month: every kind of agreement, refunds, hits, late rows and tenants. */
function booksOf(seed: number, rolledTo_ms = 0): Books {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  setLaterPrice(store)
  store.database.exec('update price set hit_percent = 40 where version = 1')
  const roll = dice(seed)
  createApplication(store, 'acme', 'support', start_ms)
  const declare = (more: Partial<Declaring>) =>
    declareAgreement(
      store,
      {
        ...{ tenant: 'acme', kind: 'graduated', model: null, class: null, counts: 'tokens', amount: 0n, tiers: [] },
        ...{ from_hour: undefined, note: '' },
        ...more,
      },
      start_ms,
    )
  const off = (percent: number): bigint => BigInt(Math.round(percent * 10_000))
  const tiers = [0, 3_000, 9_000].map((from, at) => ({ from: BigInt(from + roll(500)), off: off(7 * at + roll(7)) }))
  declare({ kind: 'free', amount: BigInt(roll(5_000)) })
  declare({ kind: 'free', class: 'output_visible', amount: BigInt(roll(900)), model: roll(2) === 0 ? 'm' : null })
  declare({ kind: 'free', counts: 'nano-USD', amount: BigInt(roll(90_000)), tenant: null })
  declare({ tiers, from_hour: start + roll(30) })
  declare({ tiers, counts: 'nano-USD', tenant: null })
  declare({ kind: 'volume', model: 'm', tiers: [{ from: BigInt(roll(20_000)), off: off(12.3456) }] })
  const ends = declare({ kind: 'volume', counts: 'nano-USD', tiers, tenant: null })
  endAgreement(store, ends.version, start + 40 + roll(20), start_ms)
  declare({ kind: 'commitment', counts: 'nano-USD', amount: BigInt(roll(20_000_000)) })
  grantCredit(
    store,
    {
      ...{ id: undefined, tenant: 'acme', kind: 'prepaid', amount: nanoDollars(900_000n) },
      ...{ from_hour: undefined, until_hour: null, note: '' },
    },
    start_ms,
  )
  const rows = Array.from({ length: 160 }, (_, at) => {
    const closed_ms = start_ms + roll(4 * day_ms)
    const usage = embeddedUsage(roll(900), roll(300), roll(200))
    return closeRow(at + 1, {
      tenant: id(roll(4) === 0 ? 'b' : 'acme'),
      application: id(roll(2) === 0 ? 'support' : 'a/b'),
      model: id(roll(3) === 0 ? 'n/1' : 'm'),
      price_version: closed_ms > start_ms + 2 * day_ms ? 2 : 1,
      outcome: roll(6) === 0 ? 'upstream_error' : 'complete',
      ttft_ms: roll(3) === 0 ? 1500 : 10,
      at_ms: closed_ms - 500,
      closed_ms,
      ...(roll(5) === 0
        ? { outcome: 'complete', ttft_ms: 10, attempts: [], cached: { from: id('gw-0'), usage } }
        : { attempts: [{ number: 1, replica: id('hosted'), usage }] }),
    })
  })
  if (roll(2) === 0) createApplication(store, 'b', 'support', start_ms + 2 * day_ms)
  let seq = 1
  for (const part of [rows.slice(30), rows.slice(0, 30)]) {
    ingestJournal(store, gateway, journaled(part, seq))
    seq += part.length
    journalReadTo(store, gateway, end_ms)
    for (let turn = 0; turn < 100 && closeTerms(store, end_ms); turn++);
  }
  for (let turn = 0; turn < 50 && rollUp(store, rolledTo_ms); turn++);
  store.close()
  return parseExport([...exportBooks({ home })].join(''))
}

test('what agreements move is worked out again from requests, prices and declarations, and is the same', () => {
  const kinds = new Set<string>()
  for (let seed = 1; seed <= 6; seed++) {
    const books = booksOf(seed)
    assert.deepEqual(checkTerms(books), [], `seed ${seed}`)
    for (const transfer of books.transfers) kinds.add(/^terms\/[^/]+\/\d+\/([a-z]+)\//.exec(transfer.id)?.[1] ?? '')
  }
  for (const kind of ['free', 'graduated', 'volume', 'commitment', 'prepaid']) assert(kinds.has(kind), kind)
})

test('a line that is another, is missing or moves something else is found and named; so is what was declared otherwise', () => {
  const books = booksOf(2)
  for (const kind of ['free', 'graduated', 'volume', 'commitment']) {
    const line = books.transfers.findLast(({ id: each }) => each.includes(`/${kind}/`))
    assert(line, kind)
    const name = line.id.replace(/\/r\d+$/, '').replace(/\/0+(\d+)\//, '/$1/')
    const others = books.transfers.filter((one) => one !== line)
    const more = checkTerms({ ...books, transfers: [...others, { ...line, amount: line.amount + 1n }] })
    assert.deepEqual(
      more.map(({ subject }) => subject),
      [name],
    )
    assert.deepEqual(
      checkTerms({ ...books, transfers: others }).map(({ subject }) => subject),
      [name],
    )
    const [moved] = checkTerms({ ...books, transfers: [...others, { ...line, debit: 'tenant/thief/x' }] })
    assert.equal(moved?.subject, line.id)
  }
  const terms = books.terms ?? assert.fail()
  for (const [at, one] of terms.agreements.entries()) {
    if (one.kind !== 'commitment') continue
    const agreements = terms.agreements.with(at, { ...one, amount: one.amount + 10n ** 12n })
    assert.equal(checkTerms({ ...books, terms: { ...terms, agreements } }).length, 1)
  }
})

test('a month of which requests are rolled up is not judged, and the next one is', () => {
  const books = booksOf(3, start_ms + 20 * day_ms)
  assert(Number(books.terms?.rolledUntilHour) > start)
  assert.deepEqual(checkTerms(books), [])
})
