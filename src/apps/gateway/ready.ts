import type { State } from './state.ts'

/** After that a gateway is ready without any engine's word: it then says itself that none answers. */
const patienceSeconds = 10

/**
 * A snapshot this old, with no operator in sight, is said to be so at /readyz and nowhere else.
 *
 * The rule at that age: serve on. Keys that were revoked meanwhile still work, and prices are old; but taking every
 * gateway out of rotation would turn an operator that is down into a factory that is down. A key's own expiry date is
 * in the snapshot and holds whatever its age.
 */
const staleSeconds = 24 * 3600

export interface Readiness {
  readonly ready: boolean
  /** What it waits for, or why it refuses. */
  readonly waits_for: readonly string[]
  readonly snapshot: number | null
  readonly snapshot_age_s: number | null
  /** The snapshot is older than a day and no operator renews it. */
  readonly stale: boolean
  readonly operator: 'up' | 'down'
}

export function readiness(state: State): Readiness {
  const waits: string[] = []
  const now = state.now()
  if (state.draining) waits.push('draining')
  if (!state.pepper) waits.push('pepper')
  if (!state.snapshot) waits.push('snapshot')
  if (state.journal.state !== 'up') waits.push('journal')
  if (state.room.room.state === 'full') waits.push('journal room')
  if (!state.warm) waits.push('warm-up')
  const patient = now - state.startedAt < patienceSeconds
  if (patient && state.snapshot?.engines.length && !state.fleet.answered) waits.push('engine')
  const age = state.snapshot ? Math.max(0, now - state.snapshot.published_ms / 1000) : null
  return {
    ready: waits.length === 0,
    waits_for: waits,
    snapshot: state.snapshot?.number ?? null,
    snapshot_age_s: age === null ? null : Math.round(age),
    stale: !state.operatorUp && age !== null && age > staleSeconds,
    operator: state.operatorUp ? 'up' : 'down',
  }
}
