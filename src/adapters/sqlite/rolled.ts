/** Sums of days long past, as rows. */
import type { Account, LedgerUnit } from '../../books/account.ts'
import type { RolledInterval, RolledTransfer, Rollup } from '../../books/rollup.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { millijoules } from '../../units/amount.ts'
import { one, run, stream } from './query.ts'
import { keepSums } from './statement-sums.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

const addTransfer = `
  insert into rolled_transfer (day, unit, debit, credit, grade, amount, transfers) values (?, ?, ?, ?, ?, ?, ?)
  on conflict (day, unit, debit, credit, grade) do update set
    amount = rolled_transfer.amount + excluded.amount, transfers = rolled_transfer.transfers + excluded.transfers`

const addInterval = `
  insert into rolled_interval (meter, day, grade, intervals, energy_mj, idle_mj) values (?, ?, ?, ?, ?, ?)
  on conflict (meter, day, grade) do update set intervals = rolled_interval.intervals + excluded.intervals,
    energy_mj = rolled_interval.energy_mj + excluded.energy_mj, idle_mj = rolled_interval.idle_mj + excluded.idle_mj`

/** Adds to the sums that are there, within the caller's transaction. */
export function keepRollup({ database }: Store, { transfers, statements, intervals }: Rollup): void {
  for (const { day, unit, from, to, grade, amount, transfers: n } of transfers.values())
    run(database, addTransfer, day, unit, from, to, grade, amount, n)
  keepSums({ database }, 'day', statements)
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

export function* rolledOn({ database }: Reader, day: number): Generator<RolledTransfer> {
  for (const row of stream<TransferRow>(database, 'select * from rolled_transfer where day = ?', day))
    yield transferOf(row)
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
