/** Finds the looks at engines' counters that can be compared: all requests that were opened before their end are settled. */
import type { Counted, Kinds } from '../../books/counted.ts'
import { closeLook } from '../../books/foreign.ts'
import { logLate_ms } from '../../books/orphan.ts'
import { apply } from './apply.ts'
import { journalsReadTo } from './ingest.ts'
import { isOfWaited } from './nodes.ts'
import { all, one } from './query.ts'
import { rowsUnderWay } from './seen.ts'
import type { Store } from './store.ts'

const batch = 500

const ready = `
  select * from engine_counted c
  where c.foreign_prompt is null and c.to_ms + ? <= ?
    and not exists (select 1 from open_request o where json_extract(o.body, '$.at_ms') < c.to_ms and ${isOfWaited('o.incarnation')})
  order by c.to_ms, c.engine limit ${batch}`

/** Of the look that this one follows without a gap. */
const balanceBefore = `
  select balance_prompt as prompt, balance_output as output from engine_counted where engine = ? and to_ms = ?`

/** True when there may be more. */
export function closeLooks(store: Store, now_ms: number): boolean {
  const { database } = store
  return store.transaction(() => {
    const readTo_ms = Math.min(journalsReadTo(store), now_ms)
    const looks = all<Omit<Counted, 'cached'> & { cached: number }>(database, ready, logLate_ms, readTo_ms)
    for (const { cached, ...look } of looks) {
      const before = one<Kinds>(database, balanceBefore, look.engine, look.from_ms) ?? null
      const rows = rowsUnderWay(store, look.from_ms, look.to_ms)
      apply(store, closeLook({ ...look, cached: cached === 1 }, rows, before))
    }
    return looks.length === batch
  })
}
