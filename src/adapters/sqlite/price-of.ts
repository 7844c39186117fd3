import type { PriceVersion } from '../../books/price.ts'
import type { SloClass } from '../../books/slo-class.ts'
import { tokenClasses } from '../../books/usage.ts'
import { price } from '../../units/amount.ts'
import type { SiteId, TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import type { Database } from '../database/database.ts'
import { allBig } from './query.ts'

/** Prices by version, looked up once each: a version never changes. */
export class Prices {
  private readonly known = new Map<number, PriceVersion>()
  private readonly database: Database

  constructor(database: Database) {
    this.database = database
  }

  /** `undefined` when there is no such version. */
  of(version: number): PriceVersion | undefined {
    const found = this.known.get(version) ?? this.read(version)
    if (found) this.known.set(version, found)
    return found
  }

  private read(version: number): PriceVersion | undefined {
    const [row] = allBig<PriceRow>(this.database, 'select * from price where version = ?', version)
    return row && priceOfRow(row)
  }
}

export type PriceRow = Readonly<Record<string, bigint | number | string | null>>

export const priceOfRow = (row: PriceRow): PriceVersion => ({
  version: Number(row.version),
  model: id(String(row.model)),
  effective_from_ms: Number(row.effective_from_ms),
  perMillion: Object.fromEntries(
    tokenClasses.map((of) => [of, price(BigInt(row[of] ?? 0n))]),
  ) as PriceVersion['perMillion'],
  ...(row.slo !== null && { slo: row.slo as SloClass }),
  ...(row.tenant !== null && { tenant: id<TenantId>(String(row.tenant)) }),
  ...(row.site !== null && { site: id<SiteId>(String(row.site)) }),
  ...(row.refund_percent !== null && {
    refund: { ttft_ms: Number(row.refund_ttft_ms), percent: Number(row.refund_percent) },
  }),
  ...(row.hit_percent !== null && { hit_percent: Number(row.hit_percent) }),
  note: String(row.note),
})
