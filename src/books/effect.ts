import type { Millijoules } from '../units/amount.ts'
import type { AttemptId, Incarnation, ReplicaId, RequestId } from '../units/ids.ts'
import type { Watts } from '../units/quantity.ts'
import type { Transfer } from './account.ts'
import type { Explained } from './counted.ts'
import type { Observed, StepFit } from './fit.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow, OpenRow } from './row.ts'
import type { Seen } from './seen.ts'
import type { SliceShare } from './slices.ts'

/**
 * What a decision of the bookkeeper does to the books. All effects of one decision are one transaction; a store (SQLite,
 * PostgreSQL, memory) applies them and decides nothing.
 */
export type Effect =
  | { readonly do: 'open'; readonly incarnation: Incarnation; readonly row: OpenRow; readonly written: Written }
  /** The request is settled, and no longer open. */
  | { readonly do: 'settle'; readonly row: CloseRow; readonly written: Written }
  /** It is no longer open, and not settled either: what became of it is put aside. */
  | { readonly do: 'forget'; readonly request: RequestId }
  /** Once each: the same transfer again does nothing, another one under the same name is put aside. */
  | { readonly do: 'post'; readonly source: string; readonly transfers: readonly Transfer[] }
  | { readonly do: 'put_aside'; readonly aside: Aside }
  /** Billed + waste = what the engine made, for this attempt. */
  | { readonly do: 'reconciled'; readonly attempt: AttemptId }
  /** An interval is attributed: what of it was idle, by which fit the rest, and what the model said before it was scaled. */
  | {
      readonly do: 'attributed'
      readonly meter: string
      readonly sequence: number
      readonly posted_ms: number
      readonly idle: Millijoules
      readonly fit: number | null
      readonly modelled_mj: bigint | null
    }
  /** Who worked in an interval, as rebuilt from how their answers came. */
  | { readonly do: 'worked'; readonly meter: string; readonly sequence: number; readonly seen: readonly Seen[] }
  /** Its board was in slices: how much each of them counted in it. */
  | {
      readonly do: 'sliced'
      readonly meter: string
      readonly sequence: number
      readonly slices: readonly SliceShare[]
    }
  /** Nobody worked in an interval: what its meter draws at rest, as known from now on. */
  | { readonly do: 'rested'; readonly meter: string; readonly floor: Watts }
  /** A look at an engine's counters was compared with our requests. */
  | { readonly do: 'explained'; readonly engine: ReplicaId; readonly to_ms: number; readonly explained: Explained }
  /** It taught something about what a step costs. */
  | { readonly do: 'observe'; readonly observed: Observed }
  | { readonly do: 'fit'; readonly fit: StepFit }
  /** A journal was read up to a row; before `gap_at` rows are missing, and nothing more is read. */
  | { readonly do: 'cursor'; readonly incarnation: Incarnation; readonly seq: number; readonly gap_at: number | null }

/** A row as it was journaled, byte for byte, and its hash. */
export interface Written {
  readonly body: string
  readonly hash: string
}

/** What contradicts the books: never posted, always shown. The same thing twice is one entry. */
export interface Aside {
  /** A gateway's or an engine's incarnation. */
  readonly source: string
  /** Number of the journal row, attempt, or place in the engine's log. */
  readonly subject: string
  readonly reason: string
  readonly body: string
}

/** What the books hold already, as far as a decision must know it. */
export interface Known {
  /** Hash of the open row; undefined: the request is not open. */
  open(request: RequestId): string | undefined
  /** Hash of the row that settled it; undefined: it is not settled. */
  settled(request: RequestId): string | undefined
  price(version: number): PriceVersion | undefined
  hash(body: string): string
}

export const putAside = (source: string, subject: string, reason: string, body: string): Effect => ({
  do: 'put_aside',
  aside: { source, subject, reason, body },
})
