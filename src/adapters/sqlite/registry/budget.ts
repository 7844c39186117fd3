import type { Allowance } from '../../../books/allowance.ts'
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
