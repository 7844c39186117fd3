/** One thing in the books, with what it comes from and what it moved: a request, a transfer, a meter's interval. */
import type { Receipt } from '../../books/receipt.ts'
import type { SliceShare } from '../../books/slices.ts'
import type { Grade } from '../../plant/energy/meter.ts'
import { receipt } from './answers.ts'
import type { Books } from './books.ts'
import type { StoredTransfer } from './ledger.ts'
import { under } from './ledger.ts'
import { allBig } from './query.ts'

/** A movement, amounts as decimal text. */
export interface Moved {
  readonly id: string
  readonly unit: string
  readonly from: string
  readonly to: string
  readonly amount: string
  readonly request: string | null
  readonly at_ms: number
}

/** What a meter drew between two readings, and what of it was given to whom. */
export interface ExplainedInterval {
  readonly meter: string
  readonly sequence: number
  /** Engines that the meter was given to; none: it is one of the machine's own. */
  readonly engines: readonly string[]
  readonly from_ms: number
  readonly to_ms: number
  readonly energy_mj: string
  readonly idle_mj: string
  /** What each MIG slice counted when its board was shared; none: it is whole, or nobody worked. */
  readonly slices: readonly SliceShare[]
  readonly grade: Grade
  /** The counter began anew: what it drew before is unknown. */
  readonly reset: boolean
  readonly posted_ms: number | null
}

export type Explanation =
  | { readonly kind: 'request'; readonly receipt: Receipt; readonly transfers: readonly Moved[] }
  | {
      readonly kind: 'transfer'
      readonly transfer: Moved
      /** The request that it belongs to; null: it belongs to none. */
      readonly receipt: Receipt | null
      /** The interval whose energy it moved; null: it moved tokens or money. */
      readonly interval: ExplainedInterval | null
    }
  | { readonly kind: 'interval'; readonly interval: ExplainedInterval; readonly transfers: readonly Moved[] }

/** By the id of a request, a transfer, or `METER/SEQUENCE`; undefined: the books do not know it. */
export function explain(books: Books, id: string): Explanation | undefined {
  const found = receipt(books, id)
  if (found) return { kind: 'request', receipt: found, transfers: transfersOf(books, id) }
  const [stored] = allBig<StoredTransfer>(books.database, 'select * from transfer where id = ?', id)
  if (stored) return explainTransfer(books, stored)
  const interval = intervalOf(books, id)
  return interval && { kind: 'interval', interval, transfers: transfersFrom(books, interval) }
}

function explainTransfer(books: Books, stored: StoredTransfer): Explanation {
  const { request } = stored
  return {
    kind: 'transfer',
    transfer: moved(stored),
    receipt: (request === null ? undefined : receipt(books, request)) ?? null,
    interval: (stored.unit === 'mJ' ? intervalOf(books, stored.id) : undefined) ?? null,
  }
}

/** The interval that an id begins with: its own, or that of a transfer which it caused. */
function intervalOf({ database }: Books, id: string): ExplainedInterval | undefined {
  const [, meter = '', sequence = ''] = /^([a-z0-9-]+)\/(\d{1,15})(?:\/|$)/.exec(id) ?? []
  const [row] = allBig<IntervalRow>(
    database,
    'select * from meter_interval where meter = ? and sequence = ?',
    meter,
    Number(sequence),
  )
  if (!row) return undefined
  const measured = `
    select engine from engine_meter where meter = ? and from_ms < ? and coalesce(until_ms, ?) >= ? order by engine`
  const engines = allBig<{ engine: string }>(database, measured, meter, row.to_ms, row.to_ms, row.from_ms)
  return {
    meter,
    sequence: Number(row.sequence),
    engines: engines.map(({ engine }) => engine),
    from_ms: Number(row.from_ms),
    to_ms: Number(row.to_ms),
    energy_mj: row.energy_mj.toString(),
    idle_mj: row.idle_mj.toString(),
    slices: row.slices === null ? [] : (JSON.parse(row.slices) as SliceShare[]),
    grade: row.grade,
    reset: row.reset !== 0n,
    posted_ms: row.posted_ms === null ? null : Number(row.posted_ms),
  }
}

interface IntervalRow {
  readonly sequence: bigint
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly energy_mj: bigint
  readonly idle_mj: bigint
  readonly slices: string | null
  readonly grade: Grade
  readonly reset: bigint
  readonly posted_ms: bigint | null
}

/** More than this no page shows; the export has them all. */
const mostTransfers = 1000

const transfersOf = ({ database }: Books, request: string): Moved[] =>
  allBig<StoredTransfer>(
    database,
    `select * from transfer where id >= ? and id < ? union all select * from transfer where request = ? and unit = 'mJ'
     order by unit desc, id limit ${mostTransfers}`,
    ...under(request),
    request,
  ).map(moved)

const transfersFrom = ({ database }: Books, { meter, sequence }: ExplainedInterval): Moved[] =>
  allBig<StoredTransfer>(
    database,
    `select * from transfer where id >= ? and id < ? order by amount desc limit ${mostTransfers}`,
    ...under(`${meter}/${sequence}`),
  ).map(moved)

export const moved = ({ id, unit, debit, credit, amount, request, at_ms }: StoredTransfer): Moved => ({
  id,
  unit,
  from: debit,
  to: credit,
  amount: amount.toString(),
  request,
  at_ms: Number(at_ms),
})
