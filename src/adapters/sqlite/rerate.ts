/** Past statements made again, and as they would be under other prices: a window at a time, so that nobody waits for the whole. */

import { hour_ms } from '../../books/cost-hour.ts'
import type { TablePrice } from '../../books/price-table.ts'
import type { Difference } from '../../books/rerate.ts'
import { firstDifference, WhatIf } from '../../books/rerate.ts'
import type { SiteId, TenantId } from '../../units/ids.ts'
import { settledRows, statement, statementAgain } from './answers.ts'
import type { Books } from './books.ts'
import { Prices } from './price-of.ts'
import { rolledUp } from './rolled.ts'
import { adjustmentsAgain } from './terms/work-out.ts'

export interface Rerated {
  readonly equal: boolean
  readonly requests: number
  /** The first hour, or rolled-up day, whose statement is another, and where. */
  readonly first_difference: (Difference & { readonly from_ms: number; readonly to_ms: number }) | null
  /** Days of which only sums by day are kept: compared with the sums by hour, not made again from requests. */
  readonly days_by_sums: number
}

/** Each window is compared within one step of the program: what is settled meanwhile is in both or in neither. */
export function* rerate(books: Books, tenant: TenantId, from_ms: number, to_ms: number): Generator<void, Rerated> {
  const rolled_ms = rolledUp(books).until_ms ?? 0
  const adjustments = adjustmentsAgain(books, tenant)
  let [requests, days] = [0, 0]
  for (const [from, to] of windows(from_ms, to_ms, rolled_ms)) {
    const is = statement(books, tenant, from, to)
    const found = firstDifference(is, statementAgain(books, tenant, from, to, adjustments))
    requests += is.requests
    if (from < rolled_ms) days++
    if (found)
      return {
        equal: false,
        requests,
        first_difference: { from_ms: from, to_ms: to, ...found },
        days_by_sums: days,
      }
    yield
  }
  return { equal: true, requests, first_difference: null, days_by_sums: days }
}

/** What requests of [from, to) would have come to; none of these days may be rolled up. Reads, and writes nothing. */
export function* whatIf(
  books: Books,
  tenant: TenantId,
  from_ms: number,
  to_ms: number,
  table: readonly TablePrice[],
  site?: SiteId,
): Generator<void, ReturnType<WhatIf['done']>> {
  const prices = new Prices(books.database)
  const sums = new WhatIf(table, site)
  for (const [from, to] of windows(from_ms, to_ms, 0)) {
    for (const row of settledRows(books, tenant, from, to)) sums.add(row, prices.of(row.price_version ?? 0))
    yield
  }
  return sums.done()
}

const day_ms = 86_400_000

/** Hours; days as far as they are rolled up. */
function* windows(from_ms: number, to_ms: number, rolled_ms: number): Generator<[from: number, to: number]> {
  for (let from = from_ms; from < to_ms; ) {
    const step = from < rolled_ms ? day_ms : hour_ms
    const to = Math.min(to_ms, (Math.floor(from / step) + 1) * step)
    yield [from, to]
    from = to
  }
}
