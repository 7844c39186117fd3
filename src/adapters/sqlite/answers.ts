/** What people ask of the books. Everything printed is worked out in `books/`; here is only where it comes from. */
import type { Receipt } from '../../books/receipt.ts'
import { openReceipt, receiptOf } from '../../books/receipt.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import type { Statement } from '../../books/statement.ts'
import { StatementBuilder } from '../../books/statement.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import type { TenantId } from '../../units/ids.ts'
import type { Books } from './books.ts'
import { Prices } from './price-of.ts'
import { one, stream, streamPlain } from './query.ts'
import { energyOf } from './request-energy.ts'
import { rolledEnergy, rolledUp } from './rolled.ts'
import { hour_ms, summedEnergyOf, summedFrom, summedPartsOf, summedRequestsOf } from './statement-sums.ts'

/**
 * A tenant's statement for requests settled in [from, to). Of whole hours it reads the sums that were kept as they were booked; of
 * parts of hours, and of hours before there were such sums, the requests themselves and the sums of days that are rolled up.
 */
export function statement(books: Books, tenant: TenantId, from_ms: number, to_ms: number): Statement {
  const builder = new StatementBuilder(tenant, from_ms, to_ms)
  const prices = new Prices(books.database)
  const from = Math.max(Math.ceil(from_ms / hour_ms), summedFrom(books))
  const to = Math.floor(to_ms / hour_ms)
  if (from < to) {
    addRows(books, builder, prices, tenant, from_ms, from * hour_ms)
    addHours(books, builder, prices, tenant, from, to)
    addRows(books, builder, prices, tenant, to * hour_ms, to_ms)
  } else addRows(books, builder, prices, tenant, from_ms, to_ms)
  return builder.done()
}

function addHours(
  books: Books,
  builder: StatementBuilder,
  prices: Prices,
  tenant: TenantId,
  from: number,
  to: number,
): void {
  const { requests, missing } = summedRequestsOf(books, 'hour', tenant, from, to)
  builder.count(requests, missing)
  for (const part of summedPartsOf(books, 'hour', tenant, from, to))
    builder.part(part, prices.of(part.price_version ?? 0))
  for (const { application, grade, amount } of summedEnergyOf(books, tenant, from, to))
    builder.energy(application, grade, amount)
}

function addRows(
  books: Books,
  builder: StatementBuilder,
  prices: Prices,
  tenant: TenantId,
  from_ms: number,
  to_ms: number,
): void {
  if (from_ms >= to_ms) return
  const { database } = books
  for (const row of settledRows(books, tenant, from_ms, to_ms))
    builder.add(row, row.price_version === null ? undefined : prices.of(row.price_version))
  for (const { credit, grade, amount } of stream<EnergyOf>(database, energyOfTenant, from_ms, to_ms, prefix(tenant)))
    builder.energy(decodeURIComponent(credit.slice(prefix(tenant).length)), grade, amount)
  addRolled(books, builder, prices, tenant, from_ms, to_ms)
}

/** A tenant's requests that were settled in [from, to) and are kept whole, in order. */
export function* settledRows({ database }: Books, tenant: TenantId, from_ms: number, to_ms: number) {
  const settled =
    'select body from request where tenant = ? and closed_ms >= ? and closed_ms < ? order by closed_ms, id'
  for (const { body } of streamPlain<{ body: string }>(database, settled, tenant, from_ms, to_ms))
    yield JSON.parse(body) as CloseRow
}

/** The same statement made again from requests and prices alone; of days that are rolled up, from the sums of their days. */
export function statementAgain(books: Books, tenant: TenantId, from_ms: number, to_ms: number): Statement {
  const builder = new StatementBuilder(tenant, from_ms, to_ms)
  addRows(books, builder, new Prices(books.database), tenant, from_ms, to_ms)
  return builder.done()
}

/** Days of which only sums are kept: whole ones, as `splitsRolledDay` makes sure. */
function addRolled(
  books: Books,
  builder: StatementBuilder,
  prices: Prices,
  tenant: TenantId,
  from_ms: number,
  to_ms: number,
): void {
  const [from, to] = [Math.ceil(from_ms / day_ms), Math.floor(to_ms / day_ms)]
  const { requests, missing } = summedRequestsOf(books, 'day', tenant, from, to)
  builder.count(requests, missing)
  for (const part of summedPartsOf(books, 'day', tenant, from, to))
    builder.part(part, prices.of(part.price_version ?? 0))
  for (const { to: credit, grade, amount } of rolledEnergy(books, prefix(tenant), from, to))
    if (grade !== '') builder.energy(decodeURIComponent(credit.slice(prefix(tenant).length)), grade, amount)
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
  select t.credit, i.grade, t.amount from transfer t
  join meter_interval i on i.to_ms = t.at_ms and t.debit = 'meter/' || i.meter
  where t.at_ms >= ? and t.at_ms < ? and t.unit = 'mJ' and instr(t.credit, ?) = 1`

const prefix = (tenant: TenantId): string => `tenant/${encodeURIComponent(tenant)}/`

/** The receipt of a request; `undefined` when the books do not know it. */
export function receipt(books: Books, id: string): Receipt | undefined {
  const settled = one<{ body: string }>(books.database, 'select body from request where id = ?', id)
  if (settled) {
    const row = JSON.parse(settled.body) as CloseRow
    return receiptOf(row, new Prices(books.database).of(row.price_version ?? 0), energyOf(books, row))
  }
  const open = one<{ body: string }>(books.database, 'select body from open_request where id = ?', id)
  return open ? openReceipt(JSON.parse(open.body) as OpenRow) : undefined
}
