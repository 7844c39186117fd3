import type { AttemptId, ReplicaId, RequestId, SiteId } from '../units/ids.ts'
import { attemptId, id } from '../units/ids.ts'
import type { Transfer } from './account.ts'
import { accounts } from './account.ts'
import type { Effect } from './effect.ts'
import { putAside } from './effect.ts'
import type { CloseRow, OpenRow } from './row.ts'
import type { Usage } from './usage.ts'
import { tokenClasses, usageFrom } from './usage.ts'

/** What an engine's own log says of one attempt. */
export interface EngineWork {
  readonly attempt: AttemptId
  readonly replica: ReplicaId
  /** Where that stood; absent: `mainSite`. */
  readonly site?: SiteId
  readonly model: string
  readonly input_uncached: number
  readonly cache_read: number
  readonly output: number
  readonly last_ms: number
  /** Its `end` is in the log, or the engine that wrote the log is dead: the figures will not change. */
  readonly final: boolean
}

export const usageOfWork = (work: EngineWork): Usage =>
  usageFrom('engine', {
    input_uncached: work.input_uncached,
    cache_read: work.cache_read,
    cache_write: 0,
    output_visible: work.output,
    reasoning: 0,
  })

/**
 * The rule for a request whose gateway died before its close row was durable.
 *
 * Its last byte never left, so its client has no complete answer: nothing is billed. What engines of ours did is waste
 * by cause `crash`, from their own logs; what a hosted engine did is unknown, and missing in the usage.
 */
export function settleDead(open: OpenRow, work: readonly EngineWork[], now_ms: number): CloseRow {
  const { kind: _, reserved_tokens: __, ...asked } = open
  return {
    ...asked,
    kind: 'close',
    closed_ms: Math.max(open.at_ms, ...work.map((one) => one.last_ms), work.length === 0 ? now_ms : 0),
    queued_ms: 0,
    ttft_ms: null,
    stream: false,
    outcome: 'crash',
    attempts: work
      .map((one) => ({
        number: Number(one.attempt.slice(one.attempt.lastIndexOf('/') + 1)),
        replica: one.replica,
        ...(one.site && { site: one.site }),
        usage: usageOfWork(one),
      }))
      .sort((a, b) => a.number - b.number),
  }
}

/** The tenant of work whose request died before even its open row was durable. */
export const nobody = id<OpenRow['tenant']>('nobody')

/** An open row in place of the one that was lost: the engine worked for a request of which no row is left. */
export const lostOpenRow = (request: RequestId, work: EngineWork): OpenRow => ({
  kind: 'open',
  id: request,
  tenant: nobody,
  application: id('nobody'),
  key: id('nobody'),
  model: id(work.model),
  price_version: null,
  snapshot: 0,
  at_ms: work.last_ms,
  reserved_tokens: 0,
})

/**
 * Billed + waste = what the engine made. What its log shows beyond the settled row (it died, and its last words never
 * arrived) is waste by cause `crash`; `short` tells by how much the log is *below* the row, which must not be.
 */
export function reconcile(row: CloseRow, work: EngineWork): { transfers: Transfer[]; short: number } {
  const attempt = row.attempts.find((one) => attemptId(row.id, one.number) === work.attempt)
  const made = usageOfWork(work)
  const transfers: Transfer[] = []
  let short = 0
  for (const tokenClass of tokenClasses) {
    const beyond = (made[tokenClass]?.tokens ?? 0) - (attempt?.usage[tokenClass]?.tokens ?? 0)
    if (beyond < 0) short -= beyond
    if (beyond <= 0) continue
    transfers.push({
      id: `${work.attempt}/token/${tokenClass}/beyond`,
      unit: 'token',
      from: accounts.engine(work.replica),
      to: accounts.wasted('crash', tokenClass),
      amount: BigInt(beyond),
      request: row.id,
      at_ms: work.last_ms,
    })
  }
  return { transfers, short }
}

/** Compares a finished attempt with its settled request, once. */
export function reconcileAttempt(row: CloseRow, work: EngineWork, incarnation: string): Effect[] {
  const { transfers, short } = reconcile(row, work)
  const below = short > 0 ? [putAside(incarnation, work.attempt, 'log_below_row', JSON.stringify({ short, work }))] : []
  return [{ do: 'post', source: incarnation, transfers }, ...below, { do: 'reconciled', attempt: work.attempt }]
}
