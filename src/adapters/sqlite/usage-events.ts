/** Settled requests in the order in which they were booked, as events for a biller elsewhere. */
import type { CloseRow } from '../../books/row.ts'
import type { UsageEvent } from '../../books/usage-event.ts'
import { usageEvent } from '../../books/usage-event.ts'
import type { Books } from './books.ts'
import { exchanges } from './exchange.ts'
import { Prices } from './price-of.ts'
import { all } from './query.ts'

/** Where a reader is: the transaction that booked a request, and the request. */
export interface Place {
  readonly booked: number
  readonly id: string
}

export interface EventsWanted {
  readonly tenant: string | undefined
  /** Settled in [from, to). */
  readonly from_ms: number
  readonly to_ms: number
  readonly after: Place | undefined
  readonly limit: number
  /** As all declarations of currencies and rates until that one say it; undefined: as all do. */
  readonly exchange?: number | undefined
}

/** Rows that one call looks at. What is wanted may be rare: then a page is short, or empty, and the next one goes on. */
const mostScanned = 5_000

const find = `
  select booked, id, tenant, closed_ms, body from request where booked > ? or (booked = ? and id > ?)
  order by booked, id limit ?`

interface Row extends Place {
  readonly tenant: string
  readonly closed_ms: number
  readonly body: string
}

/** `next` is where to go on, at the end as well: what is booked later comes after it. `more`: there is something already. */
export function usageEvents(
  books: Books,
  { tenant, from_ms, to_ms, after, limit, exchange }: EventsWanted,
): { events: UsageEvent[]; next: Place | undefined; more: boolean } {
  const prices = new Prices(books.database)
  const exchangeOf = exchanges(books, exchange)
  const { booked, id } = after ?? { booked: -1, id: '' }
  const rows = all<Row>(books.database, find, booked, booked, id, mostScanned)
  const events: UsageEvent[] = []
  let next = after
  for (const row of rows) {
    if (events.length === limit) return { events, next, more: true }
    next = { booked: row.booked, id: row.id }
    if (tenant !== undefined && row.tenant !== tenant) continue
    if (row.closed_ms < from_ms || row.closed_ms >= to_ms) continue
    const close = JSON.parse(row.body) as CloseRow
    events.push(usageEvent(close, prices.of(close.price_version ?? 0), exchangeOf(close.tenant)))
  }
  return { events, next, more: rows.length === mostScanned }
}
