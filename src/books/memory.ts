import type { MeterInterval } from '../plant/energy/meter.ts'
import type { StepWork } from '../plant/energy/step-energy.ts'
import { plusWork } from '../plant/energy/step-energy.ts'
import type { AttemptId, Incarnation, ReplicaId, RequestId } from '../units/ids.ts'
import type { Watts } from '../units/quantity.ts'
import type { Balances, LedgerUnit, Transfer } from './account.ts'
import { apply as move } from './account.ts'
import type { Explained } from './counted.ts'
import type { Aside, Effect, Known, Written } from './effect.ts'
import { putAside } from './effect.ts'
import { closeInterval } from './energy.ts'
import type { Observed, StepFit } from './fit.ts'
import { fitOf, observationsKept, refit } from './fit.ts'
import { bookForeign, isReadPast, settleOrphan } from './orphan.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow, OpenRow } from './row.ts'
import type { Seen } from './seen.ts'
import { firstSecond } from './seen.ts'
import { reconcileAttempt } from './settle.ts'
import type { JournalCursor, JournalRow } from './ship.ts'
import { gap, ship } from './ship.ts'
import type { SliceShare } from './slices.ts'
import type { EngineAttempt, WorkLine } from './work.ts'
import { heardMore, workOfLines } from './work.ts'

/** A journal of a gateway, as the books know it. */
interface JournalState extends JournalCursor {
  readonly dead_ms: number | null
}

interface EngineState {
  readonly lines: number
  readonly read_to_ms: number
  readonly dead: boolean
}

interface Did {
  readonly tokens: number
  readonly did: StepWork
  readonly cpu_us: number
}

interface OpenEntry {
  readonly incarnation: Incarnation
  readonly row: OpenRow
  readonly hash: string
}

interface IntervalEntry {
  readonly interval: MeterInterval
  posted_ms: number | null
  fit: number | null
  modelled_mj: bigint | null
}

/**
 * The books in memory: what the twin keeps, and what the stores on disk are compared with in tests. It finds what is to be
 * decided, asks the same functions as they do, and applies the same effects.
 */
export class MemoryBooks {
  readonly balances: Balances = new Map()
  readonly transfers = new Map<string, Transfer>()
  readonly open = new Map<RequestId, OpenEntry>()
  readonly settled = new Map<RequestId, { readonly row: CloseRow; readonly hash: string }>()
  readonly asides = new Map<string, Aside>()
  readonly attempts = new Map<AttemptId, EngineAttempt>()
  readonly intervals: IntervalEntry[] = []
  readonly journals = new Map<Incarnation, JournalState>()
  readonly prices = new Map<number, PriceVersion>()
  /** Who worked in intervals of engines that do not report their steps. */
  readonly worked = new Map<string, readonly Seen[]>()
  readonly sliced = new Map<string, readonly SliceShare[]>()
  /** What meters of such engines draw at rest, as learned. */
  readonly floors = new Map<string, Watts>()
  /** Looks at engines' counters, and what of them nobody of ours explains. */
  readonly explained = new Map<string, Explained>()
  readonly fits: StepFit[] = []
  /** What intervals taught, by key and in order. */
  readonly observed = new Map<string, Observed[]>()
  readonly #engines = new Map<string, EngineState>()
  readonly #metered = new Map<string, number>()
  readonly #seconds = new Map<number, Map<AttemptId, Did>>()
  readonly #attemptsOf = new Map<RequestId, AttemptId[]>()
  /** What is not reconciled, and what is not attributed: turns look at these alone. */
  readonly #unreconciled = new Set<AttemptId>()
  readonly #unattributed = new Set<IntervalEntry>()
  readonly #known: Known
  #attributedTo_ms = 0

  constructor(hash: (body: string) => string) {
    this.#known = {
      open: (request) => this.open.get(request)?.hash,
      settled: (request) => this.settled.get(request)?.hash,
      price: (version) => this.prices.get(version),
      hash,
    }
  }

  /** A gateway's journal is there, before its first request. */
  note(incarnation: Incarnation): void {
    if (!this.journals.has(incarnation)) this.journals.set(incarnation, { seq: 0, gap_at: null, dead_ms: null })
  }

  ship(incarnation: Incarnation, rows: readonly JournalRow[]): JournalCursor {
    this.note(incarnation)
    this.#apply(ship(incarnation, this.#journal(incarnation), rows, this.#known))
    return this.#journal(incarnation)
  }

  /** Its gateway is dead and its journal, whose last row was `last`, has been read to the end. */
  dead(incarnation: Incarnation, last: number, now_ms: number): void {
    const journal = this.#journal(incarnation)
    if (journal.gap_at !== null) return
    if (last > journal.seq) return this.#apply(gap(incarnation, journal.seq, last))
    this.journals.set(incarnation, { ...journal, dead_ms: journal.dead_ms ?? now_ms })
  }

  cursor(incarnation: Incarnation): JournalCursor {
    return this.#journal(incarnation)
  }

  /** Lines of an engine's log that are in the books. */
  heardTo(incarnation: string): number {
    return this.#engines.get(incarnation)?.lines ?? 0
  }

  /**
   * Lines of an engine's log that were read after `from` others; a piece that is not the next one is passed over. Undefined
   * stands for a line that cannot be read.
   */
  hear(incarnation: string, replica: ReplicaId, lines: readonly (WorkLine | undefined)[], from: number): void {
    const engine = this.#engine(incarnation)
    if (from !== engine.lines) return
    this.#engines.set(incarnation, { ...engine, lines: from + lines.length })
    for (const [index, line] of lines.entries())
      if (!line) this.#apply([putAside(incarnation, String(from + index), 'unreadable', '')])
    const { attempts, seconds } = workOfLines(
      lines.filter((line) => line !== undefined),
      this.firstOpenSecond,
    )
    for (const heard of attempts.values()) {
      const more = heardMore(this.attempts.get(heard.attempt), heard, incarnation, replica)
      if (more) this.#keep(more)
    }
    for (const { second, attempt, tokens, work, cpu_us } of seconds.values())
      this.#second(second, attempt as AttemptId, { tokens, did: work, cpu_us })
  }

  /** All that an engine logged before a moment has been read. */
  readTo(incarnation: string, now_ms: number): void {
    const engine = this.#engine(incarnation)
    this.#engines.set(incarnation, { ...engine, read_to_ms: Math.max(engine.read_to_ms, now_ms) })
  }

  /** A dead engine's log was read to its end: what it had not finished will not change any more. */
  engineDead(incarnation: string): void {
    this.#engines.set(incarnation, { ...this.#engine(incarnation), dead: true })
    for (const name of this.#unreconciled) {
      const attempt = this.attempts.get(name)
      if (attempt?.incarnation === incarnation && !attempt.final) this.#keep({ ...attempt, final: true })
    }
  }

  /** Sequence of the last interval of a meter. */
  meteredTo(meter: string): number {
    return this.#metered.get(meter) ?? 0
  }

  /** An interval, once; the first sample of a meter begins its first one. */
  meter(interval: MeterInterval): void {
    if (interval.sequence <= this.meteredTo(interval.meter)) return
    this.#metered.set(interval.meter, interval.sequence)
    const entry: IntervalEntry = { interval, posted_ms: null, fit: null, modelled_mj: null }
    this.intervals.push(entry)
    this.#unattributed.add(entry)
  }

  /** What the keeper of a store on disk does in a turn, once everything has been read. */
  turn(now_ms: number): void {
    this.settleOrphans(now_ms)
    this.reconcile()
    this.closeIntervals(now_ms)
  }

  settleOrphans(now_ms: number): void {
    const readTo_ms = this.readTo_ms
    for (const [request, { row, incarnation }] of this.open) {
      const dead_ms = this.journals.get(incarnation)?.dead_ms ?? null
      if (dead_ms === null) continue
      this.#apply(
        settleOrphan(
          { request, incarnation, dead_ms, open: row, works: this.worksOf(request) },
          readTo_ms,
          this.#known,
        ),
      )
    }
    for (const name of this.#unreconciled) {
      const attempt = this.attempts.get(name)
      if (!attempt || this.settled.has(attempt.request) || this.open.has(attempt.request)) continue
      const { request, gateway } = attempt
      const journal = this.journals.get(gateway)
      if (!journal) this.#apply(bookForeign(attempt, now_ms))
      else if (journal.dead_ms !== null) {
        const orphan = { request, incarnation: gateway, dead_ms: journal.dead_ms, open: undefined }
        this.#apply(settleOrphan({ ...orphan, works: this.worksOf(request) }, readTo_ms, this.#known))
      }
    }
  }

  reconcile(): void {
    for (const name of this.#unreconciled) {
      const attempt = this.attempts.get(name)
      const settled = attempt && this.settled.get(attempt.request)
      if (attempt?.final && settled) this.#apply(reconcileAttempt(settled.row, attempt, attempt.incarnation))
    }
  }

  closeIntervals(now_ms: number): void {
    const readTo_ms = Math.min(this.readTo_ms, now_ms)
    for (const entry of this.#unattributed) {
      if (!isReadPast(entry.interval.to_ms, readTo_ms)) continue
      const seen = this.seenIn(entry.interval)
      if (seen.every(({ attempt }) => this.attempts.get(attempt)?.reconciled))
        this.#apply(closeInterval(entry.interval, seen, this.fits, now_ms))
    }
    for (const history of this.observed.values()) {
      const [key] = history
      const fit = key && refit(history, fitOf(this.fits, key), this.fits.length + 1, now_ms)
      if (fit) this.#apply([{ do: 'fit', fit }])
    }
  }

  /** Up to when every living engine's log has been read; infinity when none lives. */
  get readTo_ms(): number {
    let least = Number.POSITIVE_INFINITY
    for (const { read_to_ms, dead } of this.#engines.values()) if (!dead) least = Math.min(least, read_to_ms)
    return least
  }

  worksOf(request: RequestId): EngineAttempt[] {
    const names = this.#attemptsOf.get(request) ?? []
    return names.flatMap((name) => this.attempts.get(name) ?? []).sort((a, b) => (a.attempt < b.attempt ? -1 : 1))
  }

  /** Who worked in the seconds of an interval, in order of name. */
  seenIn({ from_ms, to_ms }: MeterInterval): Seen[] {
    const did = new Map<AttemptId, Did>()
    for (let second = firstSecond(from_ms); second < firstSecond(to_ms); second++)
      for (const [attempt, more] of this.#seconds.get(second) ?? []) did.set(attempt, plusDid(did.get(attempt), more))
    return [...did]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, done]) => {
        const attempt = this.attempts.get(name)
        if (!attempt) return []
        const { replica, model, request } = attempt
        return { attempt: name, replica, model, ...done, row: this.settled.get(request)?.row }
      })
  }

  /** What is still under way: nothing, when all is settled, reconciled and attributed. */
  get pending(): { readonly open: number; readonly unreconciled: number; readonly unattributed: number } {
    return { open: this.open.size, unreconciled: this.#unreconciled.size, unattributed: this.#unattributed.size }
  }

  /** The first second that lies in no interval whose energy is attributed. */
  protected get firstOpenSecond(): number {
    return firstSecond(this.#attributedTo_ms)
  }

  #engine(incarnation: string): EngineState {
    return this.#engines.get(incarnation) ?? { lines: 0, read_to_ms: 0, dead: false }
  }

  #journal(incarnation: Incarnation): JournalState {
    return this.journals.get(incarnation) ?? { seq: 0, gap_at: null, dead_ms: null }
  }

  #keep(attempt: EngineAttempt): void {
    const name = attempt.attempt
    if (!this.attempts.has(name))
      this.#attemptsOf.set(attempt.request, [...(this.#attemptsOf.get(attempt.request) ?? []), name])
    this.attempts.set(name, attempt)
    if (attempt.reconciled) this.#unreconciled.delete(name)
    else this.#unreconciled.add(name)
  }

  #second(second: number, attempt: AttemptId, more: Did): void {
    const known = this.#seconds.get(second) ?? new Map<AttemptId, Did>()
    known.set(attempt, plusDid(known.get(attempt), more))
    this.#seconds.set(second, known)
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) this.#one(effect)
  }

  #one(effect: Effect): void {
    switch (effect.do) {
      case 'open':
        return this.#opened(effect.incarnation, effect.row, effect.written)
      case 'settle':
        this.settled.set(effect.row.id, { row: effect.row, hash: effect.written.hash })
        return void this.open.delete(effect.row.id)
      case 'forget':
        return void this.open.delete(effect.request)
      case 'post':
        return effect.transfers.forEach((transfer) => void this.#post(effect.source, transfer))
      case 'put_aside':
        return this.#aside(effect.aside)
      case 'reconciled': {
        const attempt = this.attempts.get(effect.attempt)
        return attempt && this.#keep({ ...attempt, reconciled: true })
      }
      case 'attributed':
        return this.#attributed(effect)
      case 'worked':
        return void this.worked.set(`${effect.meter}/${effect.sequence}`, effect.seen)
      case 'sliced':
        return void this.sliced.set(`${effect.meter}/${effect.sequence}`, effect.slices)
      case 'rested':
        return void this.floors.set(effect.meter, effect.floor)
      case 'explained':
        return void this.explained.set(`${effect.engine}/${effect.to_ms}`, effect.explained)
      case 'observe':
        return this.#observe(effect.observed)
      case 'fit':
        return void this.fits.push(effect.fit)
      case 'cursor': {
        const { seq, gap_at } = effect
        return void this.journals.set(effect.incarnation, { ...this.#journal(effect.incarnation), seq, gap_at })
      }
    }
  }

  #opened(incarnation: Incarnation, row: OpenRow, { hash }: Written): void {
    this.open.set(row.id, { incarnation, row, hash })
  }

  #post(source: string, transfer: Transfer): void {
    const known = this.transfers.get(transfer.id)
    if (!known) {
      this.transfers.set(transfer.id, transfer)
      return move(this.balances, transfer)
    }
    if (!isSame(known, transfer))
      this.#aside({ source, subject: transfer.id, reason: 'transfer_conflict', body: told(transfer) })
  }

  #aside(aside: Aside): void {
    const key = `${aside.source} ${aside.subject} ${aside.reason}`
    if (!this.asides.has(key)) this.asides.set(key, aside)
  }

  #attributed({ meter, sequence, ...how }: Extract<Effect, { do: 'attributed' }>): void {
    for (const entry of this.#unattributed) {
      if (entry.interval.meter !== meter || entry.interval.sequence !== sequence) continue
      const { idle, ...division } = how
      Object.assign(entry, { ...division, interval: { ...entry.interval, idle } })
      this.#attributedTo_ms = Math.max(this.#attributedTo_ms, entry.interval.to_ms)
      this.#unattributed.delete(entry)
    }
  }

  #observe(observed: Observed): void {
    const key = JSON.stringify([observed.meter, observed.replica, observed.model])
    const history = this.observed.get(key) ?? []
    this.observed.set(key, [...history, observed].slice(-observationsKept))
  }
}

const plusDid = (a: Did | undefined, b: Did): Did =>
  a ? { tokens: a.tokens + b.tokens, did: plusWork(a.did, b.did), cpu_us: a.cpu_us + b.cpu_us } : b

const isSame = (a: Transfer, b: Transfer): boolean =>
  a.unit === b.unit && a.from === b.from && a.to === b.to && a.amount === b.amount && a.at_ms === b.at_ms

const told = ({ amount, ...rest }: Transfer): string => JSON.stringify({ ...rest, amount: amount.toString() })

/** Sum over all accounts of a unit: zero, whatever happened. */
export function residual(balances: Balances, unit: LedgerUnit): bigint {
  let sum = 0n
  for (const [key, amount] of balances) if (key.startsWith(`${unit} `)) sum += amount
  return sum
}
