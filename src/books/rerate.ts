import type { NanoDollars } from '../units/amount.ts'
import { formatDollars, nanoDollars } from '../units/amount.ts'
import type { SiteId } from '../units/ids.ts'
import { costOf } from './post.ts'
import type { PriceVersion } from './price.ts'
import type { TablePrice } from './price-table.ts'
import type { CloseRow } from './row.ts'
import { siteOf } from './row.ts'
import type { Statement } from './statement.ts'

/** Where two statements of the same requests part. */
export interface Difference {
  /** Names and numbers that lead to it, such as `lines.0.usd`. */
  readonly at: string
  readonly statement: unknown
  readonly again: unknown
}

/** The first place where a statement is not what its requests and prices make of it; undefined: the same to the last digit. */
export function firstDifference(statement: unknown, again: unknown, at = ''): Difference | undefined {
  if (Object.is(statement, again)) return undefined
  const both = typeof statement === 'object' && typeof again === 'object' && statement !== null && again !== null
  if (!both) return { at, statement: statement ?? null, again: again ?? null }
  const [a, b] = [statement as Record<string, unknown>, again as Record<string, unknown>]
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[name], b[name], at === '' ? name : `${at}.${name}`)
    if (found) return found
  }
  return undefined
}

/** The same requests, had other prices been in force, at one site or all: of a model, and of the class whose price it was admitted under. */
export function otherwise(
  prices: readonly TablePrice[],
  site?: SiteId,
): (row: CloseRow, price: PriceVersion | undefined) => PriceVersion | undefined {
  const byName = new Map(prices.map((one) => [JSON.stringify([one.model, one.slo]), one.perMillion]))
  return (row, price) => {
    if (site !== undefined && siteOf(row) !== site) return price
    const perMillion =
      byName.get(JSON.stringify([row.model, price?.slo])) ?? byName.get(JSON.stringify([row.model, undefined]))
    if (!perMillion) return price
    return { version: 0, model: row.model, effective_from_ms: 0, note: '', ...price, perMillion }
  }
}

/** What a model's requests came to, and would have come to. */
export interface WhatIfLine {
  readonly application: string
  readonly model: string
  readonly requests: number
  readonly usd: string
  readonly would_be_usd: string
}

/** Sums of a re-rating under other prices: request by request, since each one's charge is rounded by itself. Changes nothing. */
export class WhatIf {
  readonly #lines = new Map<
    string,
    { application: string; model: string; requests: number; was: bigint; would: bigint }
  >()
  readonly #priced: ReturnType<typeof otherwise>

  constructor(prices: readonly TablePrice[], site?: SiteId) {
    this.#priced = otherwise(prices, site)
  }

  add(row: CloseRow, price: PriceVersion | undefined): void {
    const { application, model } = row
    const key = JSON.stringify([application, model])
    const line = this.#lines.get(key) ?? { application, model, requests: 0, was: 0n, would: 0n }
    line.requests++
    line.was += costOf(row, price)
    line.would += costOf(row, this.#priced(row, price))
    this.#lines.set(key, line)
  }

  done(): {
    readonly lines: readonly WhatIfLine[]
    readonly total_usd: Statement['total_usd']
    readonly would_be_usd: string
  } {
    const lines = [...this.#lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
    const sum = (of: 'was' | 'would'): NanoDollars => nanoDollars(lines.reduce((total, line) => total + line[of], 0n))
    return {
      lines: lines.map(({ was, would, ...line }) => ({
        ...line,
        usd: formatDollars(nanoDollars(was)),
        would_be_usd: formatDollars(nanoDollars(would)),
      })),
      total_usd: formatDollars(sum('was')),
      would_be_usd: formatDollars(sum('would')),
    }
  }
}
