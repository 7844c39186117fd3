/** Figures of the books for metrics: floats will do, since nobody is billed by a metric. Exact sums are the audit's matter. */

import type { LedgerUnit } from '../../books/account.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { type Watts, watts } from '../../units/quantity.ts'
import type { Database } from '../database/database.ts'
import { all, allBig, one } from './query.ts'
import type { Store } from './store.ts'

/** What an account holds of a unit, all days together; its path is decoded. */
export interface AccountFigure {
  readonly unit: LedgerUnit
  readonly path: readonly string[]
  readonly amount: number
}

const sums = 'select unit, account, total(amount) as amount from balance group by account, unit'

export const accountFigures = ({ database }: Pick<Store, 'database'>): AccountFigure[] =>
  all<{ unit: LedgerUnit; account: string; amount: number }>(database, sums).map(({ unit, account, amount }) => ({
    unit,
    path: account.split('/').map(decodeURIComponent),
    amount,
  }))

/** Sum of all balances of each unit: exactly 0, or the books are broken. Days are added here, since SQLite's sum overflows. */
export function residuals({ database }: Pick<Store, 'database'>): Map<string, bigint> {
  const days = 'select unit, day, sum(amount) as amount from balance group by unit, day'
  const residual = new Map<string, bigint>()
  for (const { unit, amount } of allBig<{ unit: string; amount: bigint }>(database, days))
    residual.set(unit, (residual.get(unit) ?? 0n) + amount)
  return residual
}

export interface MeterFigure {
  readonly meter: string
  readonly grade: Grade
  readonly to_ms: number
}

/** What a meter of engines elsewhere draws while nobody works there; undefined: there was no such time yet. */
export function floorOf({ database }: Pick<Store, 'database'>, meter: string): Watts | undefined {
  const known = one<{ floor_w: number | null }>(database, 'select floor_w from meter where name = ?', meter)
  return known?.floor_w == null ? undefined : watts(known.floor_w)
}

/** The last interval of a meter; undefined: it has none yet. */
/** Mean power of a meter's last interval. */
export function lastPower(database: Database, meter: string): { power_w: number; to_ms: number } | undefined {
  const row = one<{ from_ms: number; to_ms: number; energy_mj: number }>(
    database,
    'select from_ms, to_ms, energy_mj from meter_interval where meter = ? and to_ms > from_ms order by sequence desc limit 1',
    meter,
  )
  return row && { power_w: Number(row.energy_mj) / (row.to_ms - row.from_ms), to_ms: row.to_ms }
}

export const lastInterval = (database: Database, meter: string): MeterFigure | undefined =>
  one(database, 'select meter, grade, to_ms from meter_interval where meter = ? order by sequence desc limit 1', meter)
