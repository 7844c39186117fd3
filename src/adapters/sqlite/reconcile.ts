/** Billed + waste = what the engines made: compares each finished attempt with its settled request, once. */
import type { CloseRow } from '../../books/row.ts'
import { reconcile } from '../../books/settle.ts'
import { workOf } from './engine-log.ts'
import { decimal, postTransfers, quarantine } from './ledger.ts'
import { all, run } from './query.ts'
import type { Store } from './store.ts'

const batch = 1000

const unreconciled = `
  select a.*, r.body from engine_attempt a
  join request r on r.id = a.request
  where a.reconciled = 0 and a.final = 1
  order by a.id limit ${batch}`

/** True when there may be more. */
export function reconcileAttempts(store: Store): boolean {
  return store.transaction(() => {
    const rows = all<Parameters<typeof workOf>[0] & { incarnation: string; body: string }>(store.database, unreconciled)
    for (const row of rows) {
      const work = workOf(row)
      const { transfers, short } = reconcile(JSON.parse(row.body) as CloseRow, work)
      postTransfers(store, row.incarnation, transfers)
      if (short > 0)
        quarantine(store, row.incarnation, work.attempt, 'log_below_row', JSON.stringify({ short, work }, decimal))
      run(store.database, 'update engine_attempt set reconciled = 1 where id = ?', row.id)
    }
    return rows.length === batch
  })
}
