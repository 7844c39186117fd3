/** Billed + waste = what the engines made: compares each finished attempt with its settled request, once. */
import type { CloseRow } from '../../books/row.ts'
import { reconcileAttempt } from '../../books/settle.ts'
import { apply } from './apply.ts'
import type { AttemptRow } from './engine-log.ts'
import { attemptOf } from './engine-log.ts'
import { all } from './query.ts'
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
    const rows = all<AttemptRow & { readonly body: string }>(store.database, unreconciled)
    apply(
      store,
      rows.flatMap((row) => reconcileAttempt(JSON.parse(row.body) as CloseRow, attemptOf(row), row.incarnation)),
    )
    return rows.length === batch
  })
}
