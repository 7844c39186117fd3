/** The FOCUS export, from the sums that are kept by the hour: a line at a time, whatever the length of the period. */

import { dayOf } from '../../books/account.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import type { FocusRow } from '../../books/focus/check.ts'
import { focusBilled } from '../../books/focus/currency.ts'
import { focusAdjustmentRow, focusCsvHead, focusCsvLine, focusEnergyRow, focusRow } from '../../books/focus/rows.ts'
import type { PriceVersion } from '../../books/price.ts'
import { priceAt } from '../../books/price.ts'
import { StatementSums } from '../../books/statement-sums.ts'
import type { Adjustment } from '../../books/terms/adjustment.ts'
import { nanoDollars } from '../../units/amount.ts'
import type { SiteId } from '../../units/ids.ts'
import type { Books } from './books.ts'
import { openBooks } from './books.ts'
import { exchanges } from './exchange.ts'
import { type PriceRow, Prices, priceOfRow } from './price-of.ts'
import { allBig } from './query.ts'
import { orderedEnergy, orderedParts, type SummedEnergy } from './statement-sums.ts'
import { tenantsWithTerms } from './terms/agreed.ts'
import { postedAdjustments } from './terms/posted.ts'

export interface FocusWanted {
  readonly tenant: string | undefined
  /** Hours counted from 1970, UTC, the last not in it; whole days when it is by the day. */
  readonly from: number
  readonly to: number
  readonly by: 'hour' | 'day'
  readonly provider: string
  /** As all declarations of currencies and rates until that one say it; undefined: as all do. */
  readonly exchange?: number | undefined
}

/** Sees one moment of the books, however long the reader takes. */
export function* focusCsv({ home }: Pick<Books, 'home'>, wanted: FocusWanted): Generator<string> {
  const books = openBooks(home)
  try {
    yield `${focusCsvHead}\n`
    for (const row of focusRows(books, wanted)) yield `${focusCsvLine(row)}\n`
  } finally {
    books.close()
  }
}

/** In the currency in which each tenant is billed; a charge period lies within a day, which has one rate. */
export function* focusRows(books: Books, wanted: FocusWanted): Generator<FocusRow> {
  const of = exchanges(books, wanted.exchange)
  for (const row of rowsInDollars(books, wanted)) {
    const exchange = of(row.BillingAccountId ?? '')
    const rate = exchange?.on(dayOf(Date.parse(row.ChargePeriodStart ?? '')))
    yield focusBilled(row, rate, exchange?.version ?? 0)
  }
}

function* rowsInDollars(books: Books, { tenant, from, to, by, provider }: FocusWanted) {
  const hours = by === 'hour' ? 1 : 24
  const terms = { provider, slot_ms: hours * hour_ms }
  const prices = new Prices(books.database)
  const listed = publicPrices(books)
  for (const [slot, parts] of slots(orderedParts(books, tenant, from, to), hours)) {
    const sums = new StatementSums(terms.slot_ms)
    for (const part of parts) sums.part({ ...part, slot })
    for (const part of sums.parts.values()) {
      const price = prices.of(part.price_version ?? 0)
      const row = focusRow(part, price, terms, price && listed(price, part.site, slot * terms.slot_ms))
      if (row) yield row
    }
  }
  for (const of of tenant === undefined ? tenantsWithTerms(books) : [tenant])
    for (const adjustment of bySlotAdjusted(
      postedAdjustments(books, of, from * hour_ms, to * hour_ms),
      terms.slot_ms,
    )) {
      const row = focusAdjustmentRow({ ...adjustment, tenant: of }, terms)
      if (row) yield row
    }
  for (const [slot, energies] of slots(orderedEnergy(books, tenant, from, to), hours))
    for (const energy of bySlot(energies)) yield focusEnergyRow({ ...energy, slot }, terms)
}

/** Of a contract's price, the public one of the site that was in force when the charge period began; of a public price, itself. */
function publicPrices({ database }: Books): (price: PriceVersion, site: SiteId, at_ms: number) => PriceVersion {
  let versions: readonly PriceVersion[] | undefined
  return (price, site, at_ms) => {
    if (price.tenant === undefined) return price
    versions ??= allBig<PriceRow>(database, 'select * from price where tenant is null').map(priceOfRow)
    return priceAt(versions, { model: price.model, slo: price.slo, site }, at_ms) ?? price
  }
}

/** What follows each other of one tenant in one slot, together: an hour's or a day's lines are all that is held. */
function* slots<T extends { readonly tenant: string; readonly slot: number | bigint }>(
  sums: Iterable<T>,
  hours: number,
): Generator<readonly [number, readonly T[]]> {
  let held: T[] = []
  let name = ''
  let slot = 0
  for (const sum of sums) {
    const its = Math.floor(Number(sum.slot) / hours)
    const itsName = JSON.stringify([sum.tenant, its])
    if (held.length > 0 && itsName !== name) {
      yield [slot, held]
      held = []
    }
    name = itsName
    slot = its
    held.push(sum)
  }
  if (held.length > 0) yield [slot, held]
}

/** Lines of one kind and credit in a slot are one. */
function bySlotAdjusted(adjustments: readonly Adjustment[], slot_ms: number) {
  const sums = new Map<string, Adjustment & { readonly slot: number }>()
  for (const each of adjustments) {
    const slot = Math.floor(each.at_ms / slot_ms)
    const name = JSON.stringify([slot, each.kind, each.of, each.name, each.application])
    sums.set(name, { ...each, slot, amount: nanoDollars((sums.get(name)?.amount ?? 0n) + each.amount) })
  }
  return sums.values()
}

function bySlot(energies: readonly SummedEnergy[]): Iterable<SummedEnergy> {
  const sums = new Map<string, SummedEnergy>()
  for (const energy of energies) {
    const name = JSON.stringify([energy.application, energy.grade])
    sums.set(name, { ...energy, amount: (sums.get(name)?.amount ?? 0n) + energy.amount })
  }
  return sums.values()
}
