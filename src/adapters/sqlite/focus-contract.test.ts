import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../books/cost-hour.ts'
import { checkFocusRow } from '../../books/focus/check.ts'
import type { CloseRow } from '../../books/row.ts'
import type { ReplicaId, SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { focusRows } from './focus.ts'
import { ingestJournal } from './ingest.ts'
import { openStore } from './store.ts'
import { closeRow, embeddedUsage, gateway, journaled, setTestPrice, testHome } from './testing.ts'

test('a tenant with a contract: list cost by the public list, contracted and billed cost by its own price', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  store.database.exec(
    "insert into price (version, model, tenant, effective_from_ms, input_uncached, cache_read, cache_write, output_visible, reasoning, note) values (2, 'm', 'acme', 0, 30000001, 3000001, 0, 120000003, 120000003, 'contract')",
  )
  const closed_ms = 490_000 * hour_ms + 1
  const attempts: CloseRow['attempts'] = [{ number: 1, replica: id('hosted'), usage: embeddedUsage(1000, 0, 10) }]
  const row: Partial<CloseRow> = { model: id('m'), outcome: 'complete', ttft_ms: 1, closed_ms, attempts }
  ingestJournal(
    store,
    gateway,
    journaled([
      closeRow(1, { ...row, tenant: id('acme'), price_version: 2 }),
      closeRow(2, { ...row, tenant: id('other'), price_version: 1 }),
    ]),
  )
  const wanted = { tenant: undefined, from: 0, to: 500_000, by: 'hour', provider: 'Mill' } as const
  const rows = [...focusRows(store, wanted)].filter((each) => each.x_TokenClass === 'input_uncached')
  assert.deepEqual(
    rows.map((each) => [each.x_PriceVersion, each.ListCost, each.ContractedCost, each.BilledCost]),
    [
      ['2', '0.000037500001', '0.000030000001', '0.00003'],
      ['1', '0.000037500001', '0.000037500001', '0.0000375'],
    ],
  )
  assert.deepEqual(rows.flatMap(checkFocusRow), [])
  store.close()
})

test('by site: each has a row with its region and its price; of a contract the list price is that of the site', () => {
  using home = testHome()
  const store = openStore(home)
  setTestPrice(store)
  const columns =
    'version, model, tenant, site, effective_from_ms, input_uncached, cache_read, cache_write, output_visible, reasoning, note'
  store.database.exec(`insert into price (${columns}) values
    (2, 'm', null, 'eu-north', 0, 50000001, 0, 0, 9, 9, 'north'), (3, 'm', 'acme', null, 0, 30000001, 0, 0, 9, 9, 'contract')`)
  const closed_ms = 490_000 * hour_ms + 1
  const attempt = { number: 1, replica: id<ReplicaId>('hosted'), usage: embeddedUsage(1000, 0, 10) }
  const far = { ...attempt, site: id<SiteId>('eu-north') }
  const row: Partial<CloseRow> = { model: id('m'), outcome: 'complete', ttft_ms: 1, closed_ms }
  ingestJournal(
    store,
    gateway,
    journaled([
      closeRow(1, { ...row, tenant: id('acme'), price_version: 3, attempts: [far] }),
      closeRow(2, { ...row, tenant: id('acme'), price_version: 3, attempts: [attempt] }),
      closeRow(3, { ...row, tenant: id('other'), price_version: 2, attempts: [far] }),
      closeRow(4, { ...row, tenant: id('other'), price_version: 1, attempts: [attempt], ttft_ms: 5000 }),
    ]),
  )
  const wanted = { tenant: undefined, from: 0, to: 500_000, by: 'hour', provider: 'Mill' } as const
  const rows = [...focusRows(store, wanted)]
  assert.deepEqual(
    rows
      .filter((each) => each.x_TokenClass === 'input_uncached')
      .map((each) => [
        each.SubAccountId && each.BillingAccountId,
        each.RegionId,
        each.RegionName,
        each.ListCost,
        each.BilledCost,
      ]),
    [
      ['acme', 'eu-north', 'eu-north', '0.000050000001', '0.00003'],
      ['acme', 'main', 'main', '0.000037500001', '0.00003'],
      ['other', 'main', 'main', '0.000037500001', '0.0000375'],
      ['other', 'eu-north', 'eu-north', '0.000050000001', '0.00005'],
    ],
  )
  assert.deepEqual(
    rows.filter((each) => each.ChargeCategory === 'Credit').map((each) => each.RegionId),
    ['main'],
  )
  assert.deepEqual(rows.flatMap(checkFocusRow), [])
  store.close()
})
