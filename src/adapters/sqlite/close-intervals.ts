/** Finds the meter intervals that `books/` can attribute: those of whose work nothing is missing any more. */
import { closeInterval } from '../../books/energy.ts'
import { logLate_ms } from '../../books/orphan.ts'
import { closeWindow } from '../../books/window-work.ts'
import { apply } from './apply.ts'
import { markReading } from './costs/demand.ts'
import { enginesReadTo } from './engine-log.ts'
import { floorOf } from './figures.ts'
import { journalsReadTo } from './ingest.ts'
import type { IntervalRow } from './intervals.ts'
import { intervalOf } from './intervals.ts'
import { isOfWaited } from './nodes.ts'
import { allBig } from './query.ts'
import { refitSteps } from './refit.ts'
import { seenInSteps, seenInWindow } from './seen.ts'
import { onSlices } from './slices.ts'
import { fitsIn } from './step-fits.ts'
import type { Store } from './store.ts'

const batch = 500

/** A meter that engines elsewhere were given to measure them does not see what this machine works, nor the other way round. */
const elsewhere = 'exists (select 1 from engine_meter m where m.meter = i.meter)'

/** Intervals that no attempt worked in of which it is unknown who bears it; the seconds of an interval as `firstSecond` says. */
const readyInside = `
  select i.* from meter_interval i
  where i.posted_ms is null and i.to_ms + ? <= ? and not ${elsewhere}
    and not exists (
      select 1 from engine_second s left join engine_attempt a on a.id = s.attempt
      where s.second >= (i.from_ms + 499) / 1000 and s.second < (i.to_ms + 499) / 1000
        and coalesce(a.reconciled, 0) = 0 and a.bearer is null
    )
  order by i.to_ms, i.meter limit ${batch}`

/** An engine whose counters were looked at this long ago is looked at again: its interval waits for it. */
const look_ms = 30_000

/**
 * Intervals of meters elsewhere before whose end no request was opened that is not settled, and whose engines' counters have
 * been looked at beyond it and compared, where there are any.
 */
const readyElsewhere = `
  select i.* from meter_interval i
  where i.posted_ms is null and i.to_ms + ?1 <= ?2 and ${elsewhere}
    and not exists (select 1 from open_request o where json_extract(o.body, '$.at_ms') < i.to_ms and ${isOfWaited('o.incarnation')})
    and not exists (
      select 1 from engine_meter m join engine_counted c on c.engine = m.engine
      where m.meter = i.meter and c.foreign_prompt is null and c.to_ms > i.from_ms and c.from_ms < i.to_ms
    )
    and not exists (
      select 1 from engine_meter m join engine_counted c on c.engine = m.engine
      where m.meter = i.meter and m.until_ms is null and i.to_ms + ${look_ms} > ?2
        and c.to_ms between i.to_ms - ${look_ms} and i.to_ms - 1
        and not exists (select 1 from engine_counted d where d.engine = m.engine and d.to_ms >= i.to_ms)
    )
  order by i.to_ms, i.meter limit ${batch}`

/** True when there may be more. */
export function closeIntervals(store: Store, now_ms: number): boolean {
  return store.transaction(() => {
    const find = (sql: string, readTo_ms: number): IntervalRow[] =>
      allBig<IntervalRow>(store.database, sql, logLate_ms, Math.min(readTo_ms, now_ms))
    const inside = find(readyInside, enginesReadTo(store))
    const beyond = find(readyElsewhere, journalsReadTo(store))
    if (inside.length + beyond.length === 0) return false
    const fits = fitsIn(store)
    for (const interval of inside.map(intervalOf))
      apply(store, closeInterval(interval, seenInSteps(store, interval), fits, now_ms))
    for (const interval of beyond.map(intervalOf)) {
      const { seen, slices } = onSlices(store, interval, seenInWindow(store, interval))
      apply(store, closeWindow(interval, seen, floorOf(store, interval.meter), fits, now_ms, slices))
    }
    for (const interval of [...inside, ...beyond].map(intervalOf)) markReading(store, interval)
    refitSteps(store, now_ms)
    return inside.length === batch || beyond.length === batch
  })
}
