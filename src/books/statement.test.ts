import assert from 'node:assert/strict'
import { test } from 'node:test'
import { price } from '../units/amount.ts'
import { id } from '../units/ids.ts'
import type { PriceVersion } from './price.ts'
import { priceList } from './price.ts'
import type { CloseRow } from './row.ts'
import { StatementBuilder } from './statement.ts'
import { statementCsv } from './statement-csv.ts'
import { usageFrom } from './usage.ts'

const row = (number: number, more: Partial<CloseRow> = {}): CloseRow => ({
  kind: 'close',
  id: id(`gw-${number}`),
  tenant: id('acme'),
  application: id('=cmd,"x"'),
  key: id('k'),
  model: id('m'),
  price_version: 1,
  snapshot: 1,
  at_ms: number,
  closed_ms: number,
  queued_ms: 0,
  ttft_ms: null,
  stream: false,
  outcome: 'complete',
  attempts: [
    { number: 1, replica: id('r'), usage: usageFrom('engine', { input_uncached: 7, output_visible: 1 }) },
    { number: 2, replica: id('r'), usage: usageFrom('engine', { input_uncached: 10, output_visible: 3 }) },
  ],
  ...more,
})
const version: PriceVersion = {
  version: 1,
  model: id('m'),
  effective_from_ms: 0,
  perMillion: priceList(price(500_000_000n), price(2_000_000_000n)),
  note: '',
}

const built = (rows: readonly CloseRow[]) => {
  const builder = new StatementBuilder('acme', 0, 100)
  for (const one of rows) builder.add(one, one.price_version === null ? undefined : version)
  builder.energy('a', 'measured', 5n)
  builder.energy('a', 'measured', 6n)
  return builder.done()
}

test('billed by price and class, waste apart, whatever order the requests come in', () => {
  const rows = [row(1), row(2), row(3, { outcome: 'timeout' }), row(4, { price_version: null })]
  const found = built(rows)
  assert.deepEqual(found, built(rows.toReversed()))
  assert.deepEqual(
    found.lines.map((line) => [
      line.price_version,
      line.class,
      line.requests,
      line.tokens,
      line.usd_per_million,
      line.usd,
    ]),
    [
      [1, 'input_uncached', 2, 20, '0.5', '0.00001'],
      [1, 'output_visible', 2, 6, '2', '0.000012'],
      [null, 'input_uncached', 1, 10, null, '0'],
      [null, 'output_visible', 1, 3, null, '0'],
    ],
  )
  assert.equal(found.total_usd, '0.000022')
  assert.deepEqual(
    found.waste.map((line) => [line.cause, line.class, line.tokens]),
    [
      ['retry', 'input_uncached', 28],
      ['retry', 'output_visible', 4],
      ['timeout', 'input_uncached', 10],
      ['timeout', 'output_visible', 3],
    ],
  )
  assert.deepEqual(found.energy, [{ application: 'a', grade: 'measured', energy_mj: '11' }])
  assert.equal(found.requests_with_missing_counts, 3)
})

test('the CSV has a row per line, and no name becomes a formula or a column', () => {
  const lines = statementCsv(built([row(1)])).split('\r\n')
  assert.equal(
    lines[0],
    'kind,application,model,price_version,slo,class,cause,grade,requests,tokens,usd_per_million,usd,energy_mj,credit,site',
  )
  assert.equal(lines[1], `billed,"'=cmd,""x""",m,1,,input_uncached,,,1,10,0.5,0.000005,,,main`)
  assert.equal(lines.length, 1 + 2 + 1 + 2 + 1 + 1)
})
