/** Finds what `books/orphan.ts` settles. The queries only narrow the search; the rule is there. */
import { bookForeign, foreignAfter_ms, logLate_ms, settleOrphan } from '../../books/orphan.ts'
import type { OpenRow } from '../../books/row.ts'
import type { EngineAttempt } from '../../books/work.ts'
import { mainSite } from '../../plant/infrastructure/site.ts'
import type { Incarnation, RequestId } from '../../units/ids.ts'
import { apply, knownIn } from './apply.ts'
import type { AttemptRow } from './engine-log.ts'
import { attemptOf, enginesReadTo, worksOf } from './engine-log.ts'
import { all } from './query.ts'
import { sitesAt } from './registry/sites.ts'
import type { Store } from './store.ts'

const batch = 500

/** True when there may be more. */
export function settleOrphans(store: Store, now_ms: number): boolean {
  return store.transaction(() => {
    const readTo_ms = enginesReadTo(store)
    const open = settleFound(store, openOfDead, readTo_ms)
    const lost = settleFound(store, workWithoutRow, readTo_ms)
    const foreign = bookUnknown(store, now_ms)
    return Math.max(open, lost, foreign) === batch
  })
}

const openOfDead = `
  select o.id as request, o.body, o.incarnation, j.dead_ms from open_request o
  join journal j on j.incarnation = o.incarnation
  where j.dead_ms is not null and j.dead_ms + ? <= ?
    and not exists (select 1 from engine_attempt a where a.request = o.id and a.final = 0)
  order by o.id limit ${batch}`

const workWithoutRow = `
  select a.request, null as body, j.incarnation, j.dead_ms from engine_attempt a
  join journal j on j.incarnation = a.gateway
  where a.reconciled = 0 and j.dead_ms is not null and j.dead_ms + ? <= ?
    and not exists (select 1 from request r where r.id = a.request)
    and not exists (select 1 from open_request o where o.id = a.request)
    and not exists (select 1 from engine_attempt b where b.request = a.request and b.final = 0)
  group by a.request, j.incarnation order by a.request limit ${batch}`

interface Found {
  readonly request: RequestId
  readonly body: string | null
  readonly incarnation: Incarnation
  readonly dead_ms: number
}

function settleFound(store: Store, query: string, readTo_ms: number): number {
  const siteAt = sitesAt(store)
  const found = all<Found>(store.database, query, logLate_ms, Math.min(readTo_ms, Number.MAX_SAFE_INTEGER))
  for (const { request, body, incarnation, dead_ms } of found) {
    const open = body === null ? undefined : (JSON.parse(body) as OpenRow)
    const orphan = { request, incarnation, dead_ms, open, works: worksOf(store, request).map(standing(siteAt)) }
    apply(store, settleOrphan(orphan, readTo_ms, knownIn(store, [orphan.request])))
  }
  return found.length
}

/** Its gateway cannot say any more where the engine stood. */
const standing =
  (siteAt: ReturnType<typeof sitesAt>) =>
  (work: EngineAttempt): EngineAttempt => {
    const site = siteAt(work.replica, work.last_ms)
    return site === mainSite ? work : { ...work, site }
  }

const unknownWork = `
  select a.* from engine_attempt a
  where a.reconciled = 0 and a.final = 1 and a.last_ms + ? < ?
    and not exists (select 1 from journal j where j.incarnation = a.gateway)
  order by a.id limit ${batch}`

function bookUnknown(store: Store, now_ms: number): number {
  const unknown = all<AttemptRow>(store.database, unknownWork, foreignAfter_ms, now_ms).map(attemptOf)
  for (const work of unknown) apply(store, bookForeign(work, now_ms))
  return unknown.length
}
