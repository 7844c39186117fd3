import type { Incarnation } from '../units/ids.ts'
import { gatewayOf } from '../units/ids.ts'
import type { Effect, Known, Written } from './effect.ts'
import { putAside } from './effect.ts'
import { post } from './post.ts'
import type { CloseRow, OpenRow, Row } from './row.ts'

/** A row of a gateway's journal, as read. */
export interface JournalRow extends Written {
  readonly seq: number
  /** Undefined when the body is not what was written, or no row of this version. */
  readonly row: Row | undefined
}

/** How far a journal is in the books. Rows are numbered 1, 2, 3, … without a gap. */
export interface JournalCursor {
  readonly seq: number
  /** The first row that is missing though later ones are there: reading stops before it until somebody looks. */
  readonly gap_at: number | null
}

/**
 * Rows of a journal → the books, exactly once: rows, transfers and cursor are one transaction. Rows that are in already are
 * passed over, whatever was read twice, out of order or from the start.
 */
export function ship(
  incarnation: Incarnation,
  cursor: JournalCursor,
  rows: readonly JournalRow[],
  known: Known,
): Effect[] {
  if (cursor.gap_at !== null) return []
  const piece = new Piece(known)
  let { seq } = cursor
  for (const row of rows) {
    if (row.seq <= seq) continue
    if (row.seq > seq + 1) return [...piece.effects, ...gap(incarnation, seq, row.seq)]
    bookRow(piece, incarnation, row)
    seq = row.seq
  }
  return [...piece.effects, { do: 'cursor', incarnation, seq, gap_at: null }]
}

/** Rows after `seq` are gone though `found` is there: reading this journal stops until somebody has looked. */
export function gap(incarnation: Incarnation, seq: number, found: number): Effect[] {
  const gap_at = seq + 1
  const body = JSON.stringify({ missing_from: gap_at, next: found })
  return [{ do: 'cursor', incarnation, seq, gap_at }, putAside(incarnation, String(gap_at), 'gap', body)]
}

/** The effects so far, and what the books will hold with them: an open row and its close row come in one piece. */
class Piece {
  readonly effects: Effect[] = []
  readonly known: Known
  readonly #opened = new Map<string, string>()
  readonly #settled = new Map<string, string>()

  constructor(known: Known) {
    this.known = {
      open: (request) => (this.#settled.has(request) ? undefined : (this.#opened.get(request) ?? known.open(request))),
      settled: (request) => this.#settled.get(request) ?? known.settled(request),
      price: (version) => known.price(version),
      hash: (body) => known.hash(body),
    }
  }

  add(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'open') this.#opened.set(effect.row.id, effect.written.hash)
      if (effect.do === 'settle') this.#settled.set(effect.row.id, effect.written.hash)
      this.effects.push(effect)
    }
  }
}

function bookRow(piece: Piece, incarnation: Incarnation, { seq, row, body, hash }: JournalRow): void {
  const aside = (reason: string): void => piece.add([putAside(incarnation, String(seq), reason, body)])
  if (!row) return aside('unreadable')
  if (gatewayOf(row.id) !== incarnation) return aside('not_its_own')
  const written = { body, hash }
  const booked =
    row.kind === 'open'
      ? bookOpen(incarnation, row, written, piece.known)
      : bookClose(incarnation, row, written, piece.known)
  if (typeof booked === 'string') return aside(booked)
  piece.add(booked)
}

/** Why a row cannot be booked. */
export type RowFault = 'conflict' | 'unknown_price'

/** An open row that comes after its close row, on a second reading, says nothing new. */
function bookOpen(incarnation: Incarnation, row: OpenRow, written: Written, known: Known): Effect[] | RowFault {
  if (known.settled(row.id) !== undefined) return []
  const before = known.open(row.id)
  if (before === undefined) return [{ do: 'open', incarnation, row, written }]
  return before === written.hash ? [] : 'conflict'
}

/** The one path on which a request is settled, whoever wrote the row: its gateway, or the rule for dead ones. */
export function bookClose(source: string, row: CloseRow, written: Written, known: Known): Effect[] | RowFault {
  const price = row.price_version === null ? undefined : known.price(row.price_version)
  if (row.price_version !== null && !price) return 'unknown_price'
  const before = known.settled(row.id)
  if (before !== undefined) return before === written.hash ? [] : 'conflict'
  return [
    { do: 'settle', row, written },
    { do: 'post', source, transfers: post(row, price) },
  ]
}
