import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCsv } from '../../adapters/files/csv.ts'
import { statement } from '../../adapters/sqlite/answers.ts'
import { focusCsv } from '../../adapters/sqlite/focus.ts'
import { ingestJournal } from '../../adapters/sqlite/ingest.ts'
import { allBig, run } from '../../adapters/sqlite/query.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import { closeRow, gateway, journaled } from '../../adapters/sqlite/testing.ts'
import { dayEnd_ms } from '../../adapters/sqlite/testing-factory.ts'
import type { FocusRow } from '../../books/focus/check.ts'
import { checkFocusColumns, checkFocusRow } from '../../books/focus/check.ts'
import { focusColumn, focusColumns } from '../../books/focus/columns.ts'
import { parseDecimal } from '../../units/amount.ts'
import type { TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { withBooks } from './testing-day.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'examples', 'focus-1.2')

/**
 * The official rows are written for people: dates and money as a spreadsheet shows them, `null` for nothing, one column's name and two
 * of the specification's own words misspelled. What they mean is read; nothing else is changed.
 */
function asWritten(column: string, value: string): string | null {
  if (value === '' || value === 'null') return null
  const format = focusColumn.get(column)?.format
  const [, month, day, year] = /^(\d{1,2})\/(\d{1,2})\/(\d{2})$/.exec(value) ?? []
  if (format === 'time' && year) return `20${year}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}T00:00:00Z`
  if (format === 'decimal') return value.replace(/[$,\s]/g, '')
  if (column === 'ServiceCategory' && value === 'Database') return 'Databases'
  return value
}

function official(file: string): FocusRow[] {
  const [head = [], ...rows] = readCsv(readFileSync(join(folder, file), 'utf8').replace(/^\ufeff/, ''))
  const names = head.map((name) => (name === 'SkuPriceid' ? 'SkuPriceId' : name))
  const read = rows.map((row) => Object.fromEntries(names.map((name, at) => [name, asWritten(name, row[at] ?? '')])))
  return read.filter(({ ChargeCategory }) => ChargeCategory !== null) // lines that only add the others up are no charges
}

/** What the official rows break of the specification's own words: an hour 30, a third that is rounded, columns left empty. */
const knownSlips: readonly string[] = [
  ...[2, 3].map(
    (n) =>
      `commitment_discount_purchase_scenario_${n}.csv ChargePeriodEnd: must be a moment in UTC such as 2027-01-31T00:00:00Z`,
  ),
  'one_hundred_percent_utilization_with_commitment_discount_flexibility_with_1_resource.csv ListCost: must be ListUnitPrice × PricingQuantity',
  ...['a1', 'a2'].map((n) => `saas_spend_agreements_${n}.csv ConsumedQuantity: must not be null for Usage`),
  ...['b1', 'b2'].flatMap((n) => [
    `saas_spend_agreements_${n}.csv ConsumedQuantity: must not be null for Usage`,
    ...['Category', 'Name', 'Subcategory'].map(
      (name) => `saas_spend_agreements_${n}.csv Service${name}: must not be null`,
    ),
  ]),
  ...['a1', 'a2', 'a3', 'b', 'c'].map((n) => `simple_saas_agreements_${n}.csv ServiceSubcategory: must not be null`),
  'zero_percent_utilization_without_commitment_discount_flexibility.csv ConsumedQuantity: must be null for what is not used',
]

const files = readdirSync(folder).filter((file) => file.endsWith('.csv'))

/** `file column: rule` of each official row that breaks a rule, however often. */
const slips = (): string[] => {
  const found = files.flatMap((file) =>
    official(file).flatMap((row) => checkFocusRow(row).map(({ column, rule }) => `${file} ${column}: ${rule}`)),
  )
  return [...new Set(found)].sort()
}

test('every row of the official examples keeps the rules, but for what the specification itself forbids', () => {
  assert.deepEqual(slips(), knownSlips)
  const rows = files.flatMap(official)
  for (const row of rows) {
    const strange = checkFocusColumns(Object.keys(row)).filter(({ rule }) => !rule.includes('mandatory'))
    assert.deepEqual(strange, [])
  }
  assert.deepEqual([files.length, rows.length > 70], [26, true], `${rows.length} rows`)
})

/** One change of a row, and where it must be found. A change that does not touch a row returns it. */
const mutations: readonly (readonly [name: string, at: string, change: (row: FocusRow) => FocusRow])[] = [
  ...focusColumns
    .filter(({ nullable }) => !nullable)
    .map(({ id }) => [`no ${id}`, id, (row: FocusRow) => ({ ...row, [id]: null })] as const),
  ...focusColumns
    .filter(({ allowed }) => allowed)
    .map(({ id }) => [`a word of ours in ${id}`, id, (row: FocusRow) => ({ ...row, [id]: 'Whatever' })] as const),
  ...focusColumns
    .filter(({ format }) => format === 'decimal')
    .flatMap(({ id }) =>
      ['$5.00', '1,000', '+3', '1 1/2', '35.2E+7', 'NaN', ''].map(
        (bad) => [`${bad} as ${id}`, id, (row: FocusRow) => ({ ...row, [id]: bad })] as const,
      ),
    ),
  ...focusColumns
    .filter(({ format }) => format === 'time')
    .flatMap(({ id }) =>
      ['5/1/25', '2025-05-01', '2025-02-31T00:00:00Z', '2025-05-01T00:00:00+02:00'].map(
        (bad) => [`${bad} as ${id}`, id, (row: FocusRow) => ({ ...row, [id]: bad })] as const,
      ),
    ),
  ['a unit without its quantity', 'PricingUnit', (row) => (row.PricingQuantity ? { ...row, PricingUnit: null } : row)],
  [
    'consumed by buying',
    'ConsumedQuantity',
    (row) => ({ ...row, ChargeCategory: 'Purchase', ChargeFrequency: 'One-Time', ConsumedQuantity: '1' }),
  ],
  [
    'used, of no amount',
    'ConsumedQuantity',
    (row) =>
      row.CommitmentDiscountStatus === 'Unused' ? row : { ...row, ChargeCategory: 'Usage', ConsumedQuantity: null },
  ],
  [
    'a purchase by usage',
    'ChargeFrequency',
    (row) => ({ ...row, ChargeCategory: 'Purchase', ChargeFrequency: 'Usage-Based' }),
  ],
  [
    'another price',
    'ListCost',
    (row) =>
      row.ListUnitPrice && row.PricingQuantity && row.PricingQuantity !== '0' && row.ListCost
        ? { ...row, ListUnitPrice: `${row.ListUnitPrice}1`.replace(/^(\d+)$/, '$1.5') }
        : row,
  ],
  ['a price below nothing', 'ListUnitPrice', (row) => (row.ListUnitPrice ? { ...row, ListUnitPrice: '-1' } : row)],
  ['no price', 'SkuPriceId', (row) => (row.SkuPriceId ? { ...row, SkuPriceId: null } : row)],
  ['a taxed price', 'SkuId', (row) => (row.SkuId ? { ...row, ChargeCategory: 'Tax' } : row)],
  [
    'a period that ends before it begins',
    'ChargePeriodEnd',
    (row) => ({ ...row, ChargePeriodEnd: '1999-01-01T00:00:00Z' }),
  ],
  ['tags in tags', 'Tags', (row) => ({ ...row, Tags: '{"a":{"b":1}}' })],
  ['a tag twice', 'Tags', (row) => ({ ...row, Tags: '{"a":1,"a":2}' })],
  ['no currency', 'BillingCurrency', (row) => ({ ...row, BillingCurrency: 'dollars' })],
]

test('each rule finds its breach in every official row that it says something of', () => {
  for (const [name, at, change] of mutations) {
    let seen = 0
    for (const file of files)
      for (const row of official(file).filter((each) => checkFocusRow(each).length === 0)) {
        const changed = change(row)
        if (changed === row) continue
        seen++
        const found = checkFocusRow(changed)
        assert(
          found.some(({ column }) => column === at),
          `${name} in ${file}: ${JSON.stringify(found)} ${JSON.stringify(changed)}`,
        )
      }
    assert(seen > 0, `${name}: a change that changes nothing proves nothing`)
  }
})

test('a data set without a mandatory column, with one twice or with a foreign one is told', () => {
  const names = focusColumns.map((column) => column.id)
  assert.deepEqual(checkFocusColumns([...names, 'x_Joules']), [])
  const without = checkFocusColumns(names.filter((name) => name !== 'ListCost')).map(({ column }) => column)
  assert.deepEqual(without, ['ListCost'])
  assert.equal(checkFocusColumns([...names, 'Joules', 'ListCost']).length, 2)
})

const nano = (usd: string | null | undefined): bigint => parseDecimal(usd ?? '', 9) ?? assert.fail(`${usd} dollars`)

function exported(store: Store, by: 'hour' | 'day', tenant?: string): FocusRow[] {
  const to = Math.ceil(dayEnd_ms / 86_400_000 + 1) * 24
  const text = [...focusCsv(store, { tenant, from: 0, to, by, provider: 'Mill & Co' })].join('')
  const [head = [], ...rows] = readCsv(text)
  assert.deepEqual(checkFocusColumns(head), [])
  return rows.map((row) => {
    assert.equal(row.length, head.length)
    return Object.fromEntries(head.map((name, at) => [name, row[at] || null]))
  })
}

const sum = (rows: readonly FocusRow[], name: string): bigint => rows.reduce((all, row) => all + nano(row[name]), 0n)

test('our export keeps the rules, and is the statement and the ledger to the nano-dollar', () => {
  withBooks((store) => {
    const late = closeRow(900, { tenant: id<TenantId>('t0'), stream: true, ttft_ms: 5000, closed_ms: dayEnd_ms })
    ingestJournal(store, gateway, journaled([late], 1))
    for (const by of ['hour', 'day'] as const) {
      const rows = exported(store, by)
      for (const row of rows) assert.deepEqual(checkFocusRow(row), [], JSON.stringify(row))
      const revenue =
        "select coalesce(sum(amount), 0) as n from balance where unit = 'nano-USD' and (account like 'revenue/%' or account like 'refund/%')"
      assert.equal(sum(rows, 'BilledCost'), allBig<{ n: bigint }>(store.database, revenue)[0]?.n)
      const tenants = [...new Set(rows.map((row) => row.BillingAccountId ?? ''))]
      assert(tenants.length >= 3)
      assert(
        rows.some((row) => row.ChargeCategory === 'Credit'),
        'refunds are among them',
      )
      for (const tenant of tenants) {
        const made = statement(store, id<TenantId>(tenant), 0, dayEnd_ms + 86_400_000)
        const own = exported(store, by, tenant)
        assert.deepEqual(
          own,
          rows.filter((row) => row.BillingAccountId === tenant),
        )
        assert.equal(sum(own, 'BilledCost'), nano(made.total_usd), tenant)
        const tokens = own.reduce((all, row) => all + (row.x_TokenClass ? Number(row.ConsumedQuantity) : 0), 0)
        assert.equal(
          tokens,
          made.lines.reduce((all, line) => all + line.tokens, 0),
        )
        const joules = own.reduce((all, row) => all + BigInt(row.x_EnergyMillijoules ?? 0), 0n)
        assert.equal(
          joules,
          made.energy.reduce((all, line) => all + BigInt(line.energy_mj), 0n),
        )
        assert(joules > 0n)
      }
      const [billed, agreed] = ['BilledCost', 'ContractedCost'].map((name) => rows.map((row) => Number(row[name])))
      const requests = rows.map((row) => Number(row.x_RequestCount ?? 0))
      billed?.forEach((value, at) => {
        assert(Math.abs(value - (agreed?.[at] ?? 0)) <= (requests[at] ?? 0) * 0.51e-9)
      })
    }
  })
})

test("under a contract, list cost is the public price's, and what was agreed is contracted and billed", () => {
  withBooks((store) => {
    run(
      store.database,
      `insert into price
         (version, model, effective_from_ms, input_uncached, cache_read, cache_write, output_visible, reasoning, note, tenant)
       values (2, 'm', 0, 20000000, 1000000, 0, 100000000, 100000000, 'contract', 'big')`,
    )
    const row = closeRow(900, { tenant: id<TenantId>('big'), price_version: 2, closed_ms: dayEnd_ms })
    ingestJournal(store, gateway, journaled([row], 1))
    const rows = exported(store, 'hour', 'big')
    for (const each of rows) assert.deepEqual(checkFocusRow(each), [], JSON.stringify(each))
    assert.deepEqual(
      rows.map((each) => [each.SkuMeter, each.ListCost, each.ContractedCost, each.BilledCost, each.ListUnitPrice]),
      [
        ['cache_read', '0.00000007500002', '0.00000002', '0.00000002', '0.000000003750001'],
        ['input_uncached', '0.0000037500001', '0.000002', '0.000002', '0.000000037500001'],
        ['output_visible', '0.00000450000009', '0.000003', '0.000003', '0.000000150000003'],
      ],
    )
    run(store.database, 'delete from price where version = 1')
    assert.equal(
      exported(store, 'hour', 'big')[0]?.ListCost,
      '0.00000002',
      'nothing public: the contract is all there is',
    )
  })
})
