import type { Allowance } from '../../../books/allowance.ts'
import { allowance } from '../../../books/allowance.ts'
import { allBig } from '../query.ts'
import type { Store } from '../store.ts'
import { run } from './change.ts'

/** Within a transaction of the caller's. */
export const insertAllowance = (store: Store, made: Allowance, now_ms: number): void =>
  void run(
    store,
    `insert into allowance (id, scope, of, unit, renews, amount, created_ms) values (?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set amount = excluded.amount`,
    made.id,
    made.scope,
    made.of,
    made.unit,
    made.renews,
    made.amount,
    now_ms,
  )

type Row = Pick<Allowance, 'scope' | 'of' | 'unit' | 'renews' | 'amount'>

/** Budgets that were set of a key, by themselves or with it. */
export const allowancesOfKey = ({ database }: Pick<Store, 'database'>, key: string): Allowance[] =>
  allBig<Row>(
    database,
    "select scope, of, unit, renews, amount from allowance where scope = 'key' and of = ? order by id",
    key,
  ).map(allowance)

/**
 * The budgets of one key for another that takes its place, within a transaction of the caller's. What gateways were granted of the
 * old one counts as used of the new one: else a key would be filled up by rotating it.
 */
export function copyAllowances(store: Store, from: string, to: string, now_ms: number): void {
  for (const old of allowancesOfKey(store, from)) {
    const { id: _, ...terms } = old
    const made = allowance({ ...terms, of: to })
    insertAllowance(store, made, now_ms)
    if (old.renews === 'release') continue // places of requests under way come back, to the key that took them
    run(
      store,
      `insert into lease (allowance, period, incarnation, granted, settled)
       select ?, period, ?, sum(granted), 1 from lease where allowance = ? group by period`,
      made.id,
      `of ${from}`,
      old.id,
    )
  }
}

const before = 'before'

/**
 * What gateways were granted until now of a budget that never renews counts as used for good, whatever they give back of it; what they
 * are granted from now on is counted by itself. Within a transaction of the caller's. Gives the sum.
 */
export function settleLeases(store: Store, id: string, now_ms: number): bigint {
  run(
    store,
    `insert into lease (allowance, period, incarnation, granted, settled, until_ms)
     values (?, 0, ?, (select coalesce(sum(granted), 0) from lease where allowance = ?), 1, ?)
     on conflict (allowance, period, incarnation) do update
       set granted = excluded.granted, until_ms = excluded.until_ms`,
    ...[id, before, id, now_ms],
  )
  run(store, 'delete from lease where allowance = ? and incarnation <> ?', id, before)
  const find = 'select coalesce(sum(granted), 0) as granted from lease where allowance = ?'
  return allBig<{ granted: bigint }>(store.database, find, id)[0]?.granted ?? 0n
}
