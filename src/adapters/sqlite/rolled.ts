/** Sums of days long past, as rows. */
import type { Account, LedgerUnit } from '../../books/account.ts'
import type { RolledDay, RolledInterval, RolledPart, RolledTransfer, Rollup } from '../../books/rollup.ts'
import type { WasteCause } from '../../books/row.ts'
import type { TokenClass } from '../../books/usage.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { millijoules, nanoDollars } from '../../units/amount.ts'
import { one, run, stream } from './query.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

const addTransfer = `
  insert into rolled_transfer (day, unit, debit, credit, grade, amount, transfers) values (?, ?, ?, ?, ?, ?, ?)
  on conflict do update set amount = amount + excluded.amount, transfers = transfers + excluded.transfers`

const addPart = `
  insert into rolled_part (tenant, day, application, model, price_version, cause, class, requests, tokens, amount)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict do update set
    requests = requests + excluded.requests, tokens = tokens + excluded.tokens, amount = amount + excluded.amount`

const addDay = `
  insert into rolled_day (tenant, day, requests, missing) values (?, ?, ?, ?)
  on conflict do update set requests = requests + excluded.requests, missing = missing + excluded.missing`

const addInterval = `
  insert into rolled_interval (meter, day, grade, intervals, energy_mj, idle_mj) values (?, ?, ?, ?, ?, ?)
  on conflict do update set intervals = intervals + excluded.intervals,
    energy_mj = energy_mj + excluded.energy_mj, idle_mj = idle_mj + excluded.idle_mj`

/** Adds to the sums that are there, within the caller's transaction. */
export function keepRollup({ database }: Store, { transfers, parts, days, intervals }: Rollup): void {
  for (const { day, unit, from, to, grade, amount, transfers: n } of transfers.values())
    run(database, addTransfer, day, unit, from, to, grade, amount, n)
  for (const part of parts.values()) {
    const { tenant, day, application, model, price_version, cause, requests, tokens, amount } = part
    const version = price_version ?? 0
    run(
      database,
      addPart,
      tenant,
      day,
      application,
      model,
      version,
      cause ?? '',
      part.class ?? '',
      requests,
      tokens,
      amount,
    )
  }
  for (const { tenant, day, requests, missing } of days.values()) run(database, addDay, tenant, day, requests, missing)
  for (const { meter, day, grade, intervals: n, energy, idle } of intervals.values())
    run(database, addInterval, meter, day, grade, n, energy, idle)
}

interface TransferRow {
  readonly day: bigint
  readonly unit: LedgerUnit
  readonly debit: Account
  readonly credit: Account
  readonly grade: Grade | ''
  readonly amount: bigint
  readonly transfers: bigint
}

const transferOf = ({ day, debit, credit, transfers, ...row }: TransferRow): RolledTransfer => ({
  ...row,
  day: Number(day),
  from: debit,
  to: credit,
  transfers: Number(transfers),
})

export function* rolledTransfers({ database }: Reader): Generator<RolledTransfer> {
  for (const row of stream<TransferRow>(database, 'select * from rolled_transfer')) yield transferOf(row)
}

const energyOfTenant = `
  select * from rolled_transfer where day >= ? and day < ? and unit = 'mJ' and instr(credit, ?) = 1`

/** Energy of a tenant's applications on days in [from, to). */
export function* rolledEnergy(
  { database }: Reader,
  prefix: string,
  from: number,
  to: number,
): Generator<RolledTransfer> {
  for (const row of stream<TransferRow>(database, energyOfTenant, from, to, prefix)) yield transferOf(row)
}

interface PartRow {
  readonly tenant: string
  readonly day: bigint
  readonly application: string
  readonly model: string
  readonly price_version: bigint
  readonly cause: WasteCause | 'refund' | ''
  readonly class: TokenClass | ''
  readonly requests: bigint
  readonly tokens: bigint
  readonly amount: bigint
}

const partOf = (row: PartRow): RolledPart => ({
  ...row,
  day: Number(row.day),
  price_version: row.price_version === 0n ? null : Number(row.price_version),
  cause: row.cause === '' ? null : row.cause,
  class: row.class === '' ? null : row.class,
  requests: Number(row.requests),
  tokens: Number(row.tokens),
  amount: nanoDollars(row.amount),
})

export function* rolledParts({ database }: Reader): Generator<RolledPart> {
  for (const row of stream<PartRow>(database, 'select * from rolled_part')) yield partOf(row)
}

/** What a tenant's requests of days in [from, to) put on its statement. */
export function* rolledPartsOf({ database }: Reader, tenant: string, from: number, to: number): Generator<RolledPart> {
  const find = 'select * from rolled_part where tenant = ? and day >= ? and day < ?'
  for (const row of stream<PartRow>(database, find, tenant, from, to)) yield partOf(row)
}

export const rolledDaysOf = (
  { database }: Reader,
  tenant: string,
  from: number,
  to: number,
): Omit<RolledDay, 'day' | 'tenant'> =>
  one(
    database,
    `select coalesce(sum(requests), 0) as requests, coalesce(sum(missing), 0) as missing
     from rolled_day where tenant = ? and day >= ? and day < ?`,
    tenant,
    from,
    to,
  ) ?? { requests: 0, missing: 0 }

export function* rolledIntervals({ database }: Reader): Generator<RolledInterval> {
  const rows = stream<{
    meter: string
    day: bigint
    grade: Grade
    intervals: bigint
    energy_mj: bigint
    idle_mj: bigint
  }>(database, 'select * from rolled_interval')
  for (const { meter, day, grade, intervals, energy_mj, idle_mj } of rows)
    yield {
      meter,
      grade,
      day: Number(day),
      intervals: Number(intervals),
      energy: millijoules(energy_mj),
      idle: millijoules(idle_mj),
    }
}

/** How much is rolled up, and until the end of which day there is anything of it. */
export function rolledUp({ database }: Reader): { requests: number; intervals: number; until_ms: number | null } {
  const sum = (sql: string): { n: number | null; day: number | null } => one(database, sql) ?? { n: 0, day: null }
  const requests = sum('select sum(requests) as n, max(day) as day from rolled_day')
  const intervals = sum('select sum(intervals) as n, max(day) as day from rolled_interval')
  const days = [requests.day, intervals.day].filter((day) => day !== null)
  const until_ms = days.length === 0 ? null : (Math.max(...days) + 1) * 86_400_000
  return { requests: requests.n ?? 0, intervals: intervals.n ?? 0, until_ms }
}
