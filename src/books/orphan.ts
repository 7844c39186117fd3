/**
 * Settles what nobody else will: requests whose gateway is dead, and work that no gateway of ours asked for.
 *
 * A dead gateway's connection to the engine is closed by the kernel, and the engine cancels. Only when every engine's log
 * has been read past the death, and every attempt is final, is it known what was done, and the row says all of it.
 */
import type { Incarnation, RequestId } from '../units/ids.ts'
import { postForeign } from './bearer.ts'
import type { Effect, Known } from './effect.ts'
import { putAside } from './effect.ts'
import type { OpenRow } from './row.ts'
import type { EngineWork } from './settle.ts'
import { lostOpenRow, settleDead } from './settle.ts'
import { bookClose } from './ship.ts'
import type { EngineAttempt } from './work.ts'

/** A log's line is dated before it is written: a step may be late by what a busy machine takes for it. */
export const logLate_ms = 1000
/** A gateway's journal is listed before its first request: what is unknown for so long is not ours. */
export const foreignAfter_ms = 60_000

/** Whether all that engines did before a moment has been read, when their logs have been read up to `readTo_ms`. */
export const isReadPast = (moment_ms: number, readTo_ms: number): boolean => moment_ms + logLate_ms <= readTo_ms

/** A request of a gateway that is dead and whose journal has been read to its end. */
export interface Orphan {
  readonly request: RequestId
  readonly incarnation: Incarnation
  readonly dead_ms: number
  /** Undefined: the gateway died before even this was durable, and the engine's log is all that is left. */
  readonly open: OpenRow | undefined
  readonly works: readonly EngineWork[]
}

/** Nothing yet, when its work may still become more. */
export function settleOrphan(orphan: Orphan, readTo_ms: number, known: Known): Effect[] {
  const { incarnation, works, dead_ms, request } = orphan
  if (!isReadPast(dead_ms, readTo_ms) || works.some((work) => !work.final)) return []
  const open = orphan.open ?? lostRow(request, works)
  if (!open) return []
  const row = settleDead(open, works, dead_ms)
  const body = JSON.stringify(row)
  const booked = bookClose(incarnation, row, { body, hash: known.hash(body) }, known)
  if (typeof booked !== 'string') return booked
  return [putAside(incarnation, row.id, booked, body), { do: 'forget', request }]
}

function lostRow(request: RequestId, works: readonly EngineWork[]): OpenRow | undefined {
  const work = works.find((one) => one.model !== '') ?? works[0] // an attempt that never began has no model in the log
  return work && lostOpenRow(request, { ...work, model: work.model || 'unknown' })
}

/** Work of a gateway that is unknown to us is waste by cause `foreign`, once it is old enough to be nobody's of ours. */
export function bookForeign(work: EngineAttempt, now_ms: number): Effect[] {
  if (!work.final || work.last_ms + foreignAfter_ms >= now_ms) return []
  return [
    { do: 'post', source: work.gateway, transfers: postForeign(work) },
    { do: 'reconciled', attempt: work.attempt },
  ]
}
