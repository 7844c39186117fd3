/**
 * Settles what nobody else will: requests whose gateway is dead, and work that no gateway of ours asked for.
 *
 * A dead gateway's connection to the engine is closed by the kernel, and the engine cancels. Only when every engine's log
 * has been read past the death, and every attempt is final, is it known what was done, and the row says all of it.
 */
import { postForeign } from '../../books/bearer.ts'
import type { OpenRow } from '../../books/row.ts'
import type { EngineWork } from '../../books/settle.ts'
import { lostOpenRow, settleDead } from '../../books/settle.ts'
import type { AttemptId, Incarnation, RequestId } from '../../units/ids.ts'
import { gatewayOf } from '../../units/ids.ts'
import { enginesReadTo, worksOf } from './engine-log.ts'
import { bookClose } from './ingest.ts'
import { hashOf } from './journal-file.ts'
import { postTransfers, quarantine } from './ledger.ts'
import { Prices } from './price-of.ts'
import { all, run } from './query.ts'
import type { Store } from './store.ts'

/** A log's line is dated before it is written: a step may be late by what a busy machine takes for it. */
export const logLate_ms = 1000
/** A gateway's journal is listed before its first request: what is unknown for so long is not ours. */
const foreignAfter_ms = 60_000
const batch = 500

/** True when there may be more. */
export function settleOrphans(store: Store, now_ms: number): boolean {
  return store.transaction(() => {
    const settled = settleOpen(store)
    const lost = settleLost(store)
    const foreign = bookForeign(store, now_ms)
    return Math.max(settled, lost, foreign) === batch
  })
}

const openOfDead = `
  select o.id, o.body, o.incarnation, j.dead_ms from open_request o
  join journal j on j.incarnation = o.incarnation
  where j.dead_ms is not null and j.dead_ms + ? <= ?
    and not exists (select 1 from engine_attempt a where a.request = o.id and a.final = 0)
  order by o.id limit ${batch}`

function settleOpen(store: Store): number {
  const read = Math.min(enginesReadTo(store), Number.MAX_SAFE_INTEGER)
  const orphans = all<{ id: string; body: string; incarnation: string; dead_ms: number }>(
    store.database,
    openOfDead,
    logLate_ms,
    read,
  )
  for (const { id, body, incarnation, dead_ms } of orphans)
    settle(store, incarnation, JSON.parse(body) as OpenRow, worksOf(store, id), dead_ms)
  return orphans.length
}

const workWithoutRow = `
  select a.request, j.incarnation, j.dead_ms from engine_attempt a
  join journal j on j.incarnation = a.gateway
  where a.reconciled = 0 and j.dead_ms is not null and j.dead_ms + ? <= ?
    and not exists (select 1 from request r where r.id = a.request)
    and not exists (select 1 from open_request o where o.id = a.request)
    and not exists (select 1 from engine_attempt b where b.request = a.request and b.final = 0)
  group by a.request order by a.request limit ${batch}`

/** The gateway died before even the open row was durable: the engine's log is all that is left of the request. */
function settleLost(store: Store): number {
  const read = Math.min(enginesReadTo(store), Number.MAX_SAFE_INTEGER)
  const lost = all<{ request: string; incarnation: string; dead_ms: number }>(
    store.database,
    workWithoutRow,
    logLate_ms,
    read,
  )
  for (const { request, incarnation, dead_ms } of lost) {
    const works = worksOf(store, request)
    const known = works.find((work) => work.model !== '') ?? works[0]
    if (known) settle(store, incarnation, lostOpenRow(request as RequestId, named(known)), works, dead_ms)
  }
  return lost.length
}

/** An attempt that never began has no model in the log. */
const named = (work: EngineWork): EngineWork => ({ ...work, model: work.model || 'unknown' })

function settle(store: Store, incarnation: string, open: OpenRow, works: readonly EngineWork[], dead_ms: number): void {
  const row = settleDead(open, works, dead_ms)
  const body = JSON.stringify(row)
  const fault = bookClose(store, incarnation as Incarnation, row, body, hashOf(body), new Prices(store.database))
  if (!fault) return
  quarantine(store, incarnation, row.id, fault, body)
  run(store.database, 'delete from open_request where id = ?', row.id)
}

const unknownWork = `
  select a.id, a.request from engine_attempt a
  where a.reconciled = 0 and a.final = 1 and a.last_ms + ? < ?
    and not exists (select 1 from journal j where j.incarnation = a.gateway)
  order by a.id limit ${batch}`

function bookForeign(store: Store, now_ms: number): number {
  const unknown = all<{ id: string; request: string }>(store.database, unknownWork, foreignAfter_ms, now_ms)
  for (const { id, request } of unknown) {
    const work = worksOf(store, request).find((one) => one.attempt === (id as AttemptId))
    if (work) postTransfers(store, gatewayOf(request as RequestId), postForeign(work))
    run(store.database, 'update engine_attempt set reconciled = 1 where id = ?', id)
  }
  return unknown.length
}
