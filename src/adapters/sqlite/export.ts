/** All of the books as NDJSON, one record per line, for an audit from outside: amounts as decimal text, rows as journaled. */

import { tokenClasses } from '../../books/usage.ts'
import type { Books } from './books.ts'
import { openBooks } from './books.ts'
import { stream } from './query.ts'

/** Record, its query in an order that does not change, and the columns that are amounts: those stay text. */
const records: readonly (readonly [record: string, sql: string, amounts: readonly string[]])[] = [
  // In whose home a journal lies is no part of the books: these are the same wherever they were kept.
  ['journal', 'select incarnation, seq, gap_at, dead_ms, read_to_ms from journal order by incarnation', []],
  ['price', 'select * from price order by version', tokenClasses],
  ['exchange_rate', 'select * from exchange_rate order by version, currency, day', ['rate']],
  ['tenant_currency', 'select * from tenant_currency order by version', []],
  ['credit', 'select * from credit order by id', ['amount']],
  ['agreement', 'select * from agreement order by version', ['amount']],
  ['terms_hours', 'select tenant, first_hour, next_hour, stale_hour from terms_done order by tenant', []],
  ['open_request', 'select * from open_request order by id', []],
  ['request', 'select * from request order by id', []],
  ['attempt', 'select * from engine_attempt order by id', []],
  ['second', 'select * from engine_second order by second, attempt', []],
  ['window_work', 'select * from window_work order by meter, sequence, attempt', []],
  ['fit', 'select * from step_fit order by version', []],
  ['interval', 'select * from meter_interval order by meter, sequence', ['energy_mj', 'idle_mj', 'modelled_mj']],
  [
    'board_share',
    `select engine, meter, from_ms, until_ms, slice, sms, board_sms, instance from engine_meter m
     where exists (select 1 from engine_meter s where s.meter = m.meter and s.sms is not null)
     order by meter, engine, from_ms`,
    [],
  ],
  [
    'upper_interval',
    'select * from upper_interval order by meter, sequence',
    ['energy_mj', 'rest_mj', 'owed_before_mj', 'booked_mj', 'owed_mj'],
  ],
  ['upper_part', 'select * from upper_part order by meter, sequence, below', ['energy_mj']],
  ['transfer', 'select * from transfer order by id', ['amount']],
  ['balance', 'select * from balance order by account, unit, day', ['amount']],
  ['rolled_transfer', 'select * from rolled_transfer order by day, unit, debit, credit, grade', ['amount']],
  [
    'rolled_part',
    'select * from rolled_part order by tenant, day, application, model, price_version, site, cause',
    ['amount'],
  ],
  ['rolled_day', 'select * from rolled_day order by tenant, day', []],
  ['rolled_interval', 'select * from rolled_interval order by meter, day, grade', ['energy_mj', 'idle_mj']],
  ['engine_cost', 'select * from engine_cost order by engine, from_ms', ['per_hour']],
  ['cost_declaration', 'select * from cost_declaration order by version', []],
  ['closed_hour', 'select * from closed_hour order by hour', []],
  ['cost_hour', 'select * from cost_hour order by hour, source, unit', ['amount']],
  ['demand_hour', 'select * from demand_hour order by hour, connection', ['energy_mj']],
  ['served_hour', 'select * from served_hour order by hour, model', ['tokens']],
  [
    'work_hour',
    'select * from work_hour order by hour, replica, tenant, application, model, cause',
    ['held_ns', 'kv_token_ms'],
  ],
  ['busy_hour', 'select * from busy_hour order by hour, replica', []],
  ['quarantine', 'select * from quarantine order by id', []],
]

export const exported: readonly string[] = records.map(([record]) => record)

/** Sees one moment of the books, however long the reader takes. `body` stays text: its hash is that of these bytes. */
export function* exportBooks({ home }: Pick<Books, 'home'>): Generator<string> {
  const books = openBooks(home)
  try {
    for (const [record, sql, amounts] of records)
      for (const row of stream<Record<string, unknown>>(books.database, sql))
        yield `${JSON.stringify({ record, ...plain(row, amounts) })}\n`
  } finally {
    books.close()
  }
}

const plain = (row: Record<string, unknown>, amounts: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (typeof value !== 'bigint') return [name, value]
      return [name, amounts.includes(name) ? value.toString() : Number(value)]
    }),
  )
