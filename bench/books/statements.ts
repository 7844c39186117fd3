import { statement } from '../../src/adapters/sqlite/answers.ts'
import { ingestJournal } from '../../src/adapters/sqlite/ingest.ts'
import { Prices } from '../../src/adapters/sqlite/price-of.ts'
import { one, streamPlain } from '../../src/adapters/sqlite/query.ts'
import type { Store } from '../../src/adapters/sqlite/store.ts'
import { closeRow, gateway, journaled, setTestPrice } from '../../src/adapters/sqlite/testing.ts'
import type { CloseRow } from '../../src/books/row.ts'
import { StatementBuilder } from '../../src/books/statement.ts'
import { usageFrom } from '../../src/books/usage.ts'
import { id } from '../../src/units/ids.ts'
import { dice } from '../dice.ts'

const day_ms = 86_400_000
const from_ms = Date.UTC(2026, 8, 1)
const batch = 1000
/** All five classes, so that a request is five rows of usage. */
const classes = 5

export interface Booked {
  readonly requests: number
  readonly postings: number
  readonly took_s: number
}

/** A busy day of one tenant's requests, ten applications, booked as the operator books them: rows, transfers, balances, sums, cursor. */
export function book(store: Store, usageRows: number, tell: (line: string) => void): Booked {
  setTestPrice(store)
  const { whole } = dice(20_261_125)
  const requests = Math.ceil(usageRows / classes)
  const row = (number: number): CloseRow =>
    closeRow(number, {
      closed_ms: from_ms + Math.floor((number / requests) * day_ms),
      application: id(`a${whole(0, 9)}`),
      attempts: [
        {
          number: 1,
          replica: id('hosted'),
          usage: usageFrom('provider', {
            input_uncached: whole(1, 4000),
            cache_read: whole(1, 3000),
            cache_write: whole(1, 100),
            output_visible: whole(1, 600),
            reasoning: whole(1, 900),
          }),
        },
      ],
    })
  let took_ms = 0
  for (let at = 1; at <= requests; at += batch) {
    const rows = journaled(
      Array.from({ length: Math.min(batch, requests + 1 - at) }, (_, index) => row(at + index)),
      at,
    )
    const begun = performance.now()
    ingestJournal(store, gateway, rows)
    took_ms += performance.now() - begun
    if ((at - 1) % (100 * batch) === 0 && at > 1)
      tell(`${at - 1} of ${requests} requests are booked, ${(took_ms / 1000).toFixed(0)} s`)
  }
  const postings = one<{ n: number }>(store.database, 'select count(*) as n from transfer')?.n ?? 0
  return { requests, postings, took_s: took_ms / 1000 }
}

/** Its statement by its sums, and by its rows: how long each takes, and whether they are the same to the letter. */
export function statements(store: Store): {
  readonly sums_ms: number
  readonly rows_ms: number
  readonly same: boolean
} {
  const to_ms = from_ms + day_ms + 1
  const begun = performance.now()
  const summed = statement(store, id('acme'), from_ms, to_ms)
  const sums_ms = performance.now() - begun
  const builder = new StatementBuilder('acme', from_ms, to_ms)
  const prices = new Prices(store.database)
  const all = 'select body from request where tenant = ? and closed_ms >= ? and closed_ms < ?'
  for (const { body } of streamPlain<{ body: string }>(store.database, all, 'acme', from_ms, to_ms)) {
    const row = JSON.parse(body) as CloseRow
    builder.add(row, prices.of(row.price_version ?? 0))
  }
  const same = JSON.stringify(builder.done()) === JSON.stringify(summed)
  return { sums_ms, rows_ms: performance.now() - begun - sums_ms, same }
}
