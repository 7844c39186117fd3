import type { AttemptId } from '../units/ids.ts'
import type { Account } from './account.ts'
import type { Doing } from './divide.ts'
import type { CloseRow } from './row.ts'

/** Work of an attempt in the seconds of an interval, and the settled request that it belongs to; undefined: foreign. */
export interface Seen extends Doing {
  readonly attempt: AttemptId
  readonly row: CloseRow | undefined
  /** Who bears it, kept when its request was rolled up: its row is gone then. */
  readonly bearer?: Account | undefined
}

/** A second belongs to the interval that its middle lies in, so that each is in exactly one: (s + 0.5) × 1000 ∈ [from, to). */
export const firstSecond = (at_ms: number): number => Math.ceil((at_ms - 500) / 1000)
