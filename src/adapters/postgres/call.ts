/** What the operator's thread asks of the one that holds the connection, and what it is told. */
import type { Integers, Value } from '../database/database.ts'

export type Call =
  | { readonly do: 'connect' }
  | { readonly do: 'exec'; readonly script: string }
  | {
      readonly do: 'query'
      readonly sql: string
      readonly values: readonly (Value | readonly Value[])[]
      readonly integers: Integers
      /** Whether it is kept prepared: not where it is asked once. */
      readonly keep: boolean
    }
  | { readonly do: 'close' }

/** A question has a number, and its answer the same: one that comes after nobody waits for it any more is not taken for another's. */
export interface Numbered<Of> {
  readonly number: number
  readonly of: Of
}

export type Told =
  | { readonly ok: true; readonly rows: readonly unknown[]; readonly changed: number }
  | { readonly ok: false; readonly message: string; readonly state: string; readonly lost: boolean }

/** How the two find each other: the number at `signal[0]` counts answers. */
export interface Joint {
  readonly url: string
  readonly signal: Int32Array<SharedArrayBuffer>
  readonly statement_ms: number
}
