/** What people ask of the books. Everything printed is worked out in `books/`; here is only where it comes from. */

import { dayOf } from '../../books/account.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import { dayText } from '../../books/exchange/rate.ts'
import type { Receipt } from '../../books/receipt.ts'
import { openReceipt, receiptOf } from '../../books/receipt.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import type { Statement } from '../../books/statement.ts'
import { StatementBuilder } from '../../books/statement.ts'
import type { Adjustment } from '../../books/terms/adjustment.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import type { TenantId } from '../../units/ids.ts'
import type { Books } from './books.ts'
import { tenantExchange } from './exchange.ts'
import { Prices } from './price-of.ts'
import { one, stream, streamPlain } from './query.ts'
import { RegistryError } from './registry/change.ts'
import { energyOf } from './request-energy.ts'
import { rolledEnergy, rolledUp } from './rolled.ts'
import { settledRow } from './settled-row.ts'
import { sharedGrade } from './shared-grade.ts'
import { summedEnergyOf, summedFrom, summedPartsOf, summedRequestsOf } from './statement-sums.ts'
import { postedAdjustments } from './terms/posted.ts'

/**
 * A tenant's statement for requests settled in [from, to). Of whole hours it reads the sums that were kept as they were booked; of
 * parts of hours, and of hours before there were such sums, the requests themselves and the sums of days that are rolled up.
 */
/** `exchange`: as all declarations of currencies and rates until that one say it; else as all do. */
export function statement(
  books: Books,
  tenant: TenantId,
  from_ms: number,
  to_ms: number,
  exchange?: number,
): Statement {
  const making = begun(books, tenant, from_ms, to_ms, exchange)
  const from = Math.max(Math.ceil(from_ms / hour_ms), summedFrom(books))
  const to = Math.floor(to_ms / hour_ms)
  if (from < to) {
    addRows(making, from_ms, from * hour_ms)
    addHours(making, from, to)
    addRows(making, to * hour_ms, to_ms)
  } else addRows(making, from_ms, to_ms)
  for (const each of postedAdjustments(books, tenant, from_ms, to_ms)) making.builder.adjusted(each)
  return making.builder.done()
}

/**
 * The same statement made again from requests and prices alone; of days that are rolled up, from the sums of their days. `adjustments`: what
 * the tenant's terms should have moved, over all of its time (`adjustmentsAgain`).
 */
export function statementAgain(
  books: Books,
  tenant: TenantId,
  from_ms: number,
  to_ms: number,
  adjustments: readonly Adjustment[],
): Statement {
  const making = begun(books, tenant, from_ms, to_ms)
  addRows(making, from_ms, to_ms)
  for (const each of adjustments) if (each.at_ms >= from_ms && each.at_ms < to_ms) making.builder.adjusted(each)
  return making.builder.done()
}

interface Making {
  readonly books: Books
  readonly tenant: TenantId
  readonly prices: Prices
  readonly builder: StatementBuilder
}

const begun = (books: Books, tenant: TenantId, from_ms: number, to_ms: number, exchange?: number): Making => ({
  books,
  tenant,
  prices: new Prices(books.database),
  builder: new StatementBuilder(tenant, from_ms, to_ms, billedIn(books, tenant, from_ms, to_ms, exchange)),
})

/** Undefined: in dollars. Two currencies do not add up. */
function billedIn(books: Books, tenant: TenantId, from_ms: number, to_ms: number, version: number | undefined) {
  const exchange = tenantExchange(books, tenant, version)
  const [from, to] = [dayOf(from_ms), dayOf(to_ms - 1)]
  const change = exchange?.changeWithin(from, to)
  if (exchange && change !== undefined)
    throw new RegistryError(
      'invalid',
      `${tenant} is billed in ${exchange.currencyOn(from)} until ${dayText(change)}, and in ${exchange.currencyOn(change)} from then on`,
      { param: 'to', next: `Ask for each time by itself: --to ${dayText(change)}, and --from ${dayText(change)}` },
    )
  return exchange?.currencyOn(from) === 'USD' ? undefined : exchange
}

function addHours(making: Making, from: number, to: number): void {
  addSums(making, 'hour', from, to)
  for (const { application, grade, amount } of summedEnergyOf(making.books, making.tenant, from, to))
    making.builder.energy(application, grade, amount)
}

function addRows(making: Making, from_ms: number, to_ms: number): void {
  if (from_ms >= to_ms) return
  const { books, tenant, prices, builder } = making
  for (const row of settledRows(books, tenant, from_ms, to_ms))
    builder.add(row, row.price_version === null ? undefined : prices.of(row.price_version))
  for (const { credit, grade, amount } of stream<EnergyOf>(
    books.database,
    energyOfTenant,
    from_ms,
    to_ms,
    prefix(tenant),
  ))
    builder.energy(applicationOf(tenant, credit), grade, amount)
  addRolled(making, from_ms, to_ms)
}

/** Days of which only sums are kept: whole ones, as `splitsRolledDay` makes sure. */
function addRolled(making: Making, from_ms: number, to_ms: number): void {
  const { books, tenant, builder } = making
  const [from, to] = [Math.ceil(from_ms / day_ms), Math.floor(to_ms / day_ms)]
  addSums(making, 'day', from, to)
  for (const { to: credit, grade, amount } of rolledEnergy(books, prefix(tenant), from, to))
    if (grade !== '') builder.energy(applicationOf(tenant, credit), grade, amount)
}

function addSums({ books, tenant, prices, builder }: Making, by: 'hour' | 'day', from: number, to: number): void {
  const { requests, missing } = summedRequestsOf(books, by, tenant, from, to)
  builder.count(requests, missing)
  const slot_ms = by === 'hour' ? hour_ms : day_ms
  for (const part of summedPartsOf(books, by, tenant, from, to))
    builder.part(part, prices.of(part.price_version ?? 0), part.slot * slot_ms)
}

/** A tenant's requests that were settled in [from, to) and are kept whole, in order. */
export function* settledRows({ database }: Books, tenant: TenantId, from_ms: number, to_ms: number) {
  const settled =
    'select body from request where tenant = ? and closed_ms >= ? and closed_ms < ? order by closed_ms, id'
  for (const { body } of streamPlain<{ body: string }>(database, settled, tenant, from_ms, to_ms))
    yield JSON.parse(body) as CloseRow
}

const day_ms = 86_400_000

/** Whether a moment lies within a day of which only sums are kept: no statement can begin or end there. */
export function splitsRolledDay(books: Books, at_ms: number): boolean {
  const until_ms = rolledUp(books).until_ms
  return at_ms % day_ms !== 0 && until_ms !== null && at_ms < until_ms
}

interface EnergyOf {
  readonly credit: string
  readonly grade: Grade
  readonly amount: bigint
}

/** An interval's transfers carry the moment it ended, so the two are found by it. */
const energyOfTenant = `
  select t.credit, ${sharedGrade} as grade, t.amount from transfer t
  join meter_interval i on i.to_ms = t.at_ms and t.debit = 'meter/' || i.meter
  where t.at_ms >= ? and t.at_ms < ? and t.unit = 'mJ' and instr(t.credit, ?) = 1`

const prefix = (tenant: TenantId): string => `tenant/${encodeURIComponent(tenant)}/`

const applicationOf = (tenant: TenantId, account: string): string =>
  decodeURIComponent(account.slice(prefix(tenant).length))

/** The receipt of a request; `undefined` when the books do not know it. */
export function receipt(books: Books, id: string): Receipt | undefined {
  const row = settledRow(books, id)
  if (row) return receiptOf(row, new Prices(books.database).of(row.price_version ?? 0), energyOf(books, row))
  const open = one<{ body: string }>(books.database, 'select body from open_request where id = ?', id)
  return open ? openReceipt(JSON.parse(open.body) as OpenRow) : undefined
}
