/**
 * The operator's bookkeeping, again and again: journals → engine logs → orphans → reconciling → intervals → levels → terms → hours.
 *
 * Each step is a transaction that says how far it came, so the keeper may be killed at any point and goes on from there. It
 * works in short turns and leaves the rest for the next one: the operator has gateways to answer.
 */

import { cpuMeter } from '../../adapters/cpu/cpu.ts'
import type { Home } from '../../adapters/files/home.ts'
import { raplMeters } from '../../adapters/rapl/rapl.ts'
import { closeIntervals } from '../../adapters/sqlite/close-intervals.ts'
import { closeLevels } from '../../adapters/sqlite/close-levels.ts'
import { closeLooks } from '../../adapters/sqlite/close-looks.ts'
import { closeHours } from '../../adapters/sqlite/costs/close-hours.ts'
import { HoursThread } from '../../adapters/sqlite/costs/hours-thread.ts'
import { sumOldHour } from '../../adapters/sqlite/costs/pnl-sums.ts'
import { insertCounted } from '../../adapters/sqlite/counted.ts'
import { journalCursor } from '../../adapters/sqlite/ingest.ts'
import { lastOf, listJournals } from '../../adapters/sqlite/journal-reader.ts'
import type { Lag } from '../../adapters/sqlite/lag.ts'
import { lagOf } from '../../adapters/sqlite/lag.ts'
import type { MeterReader } from '../../adapters/sqlite/meter.ts'
import { OpenMeters } from '../../adapters/sqlite/meters.ts'
import { nodeReadTo } from '../../adapters/sqlite/nodes.ts'
import { settleOrphans } from '../../adapters/sqlite/orphans.ts'
import { reconcileAttempts } from '../../adapters/sqlite/reconcile.ts'
import { rollUp } from '../../adapters/sqlite/rollup.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import { asStoreError, StoreError } from '../../adapters/sqlite/store-error.ts'
import { takeEngineLogs, tidyEngineLogs } from '../../adapters/sqlite/take-engine-logs.ts'
import { takeJournals } from '../../adapters/sqlite/take-journals.ts'
import { pruneTallies } from '../../adapters/sqlite/tally.ts'
import { closeTerms } from '../../adapters/sqlite/terms/close-terms.ts'
import { type Backlog, backlogOf, type Stoppage } from '../../books/backlog.ts'
import type { Counted } from '../../books/counted.ts'
import type { Room } from '../../books/room.ts'
import type { Incarnation } from '../../units/ids.ts'
import { watts } from '../../units/quantity.ts'

export interface KeeperOptions {
  readonly home: Home
  readonly store: Store
  /** What the machine draws at rest and at full load, for meters that estimate; W. */
  readonly meter: { readonly idleWatts: number; readonly fullWatts: number }
  readonly now: () => number
  readonly log: (message: string) => void
  readonly keeps?: Kept
  /** Told in every turn, once all has been read: leases of dead gateways may be free again. */
  readonly leases?: { settleDead(): boolean }
  /** In place of the machine's own meters. */
  readonly readers?: readonly MeterReader[]
  /** Meters of engines elsewhere, as they are now; asked before every sample. */
  readonly others?: () => readonly MeterReader[]
  /** What the counters of engines elsewhere grew by since it was last asked. */
  readonly counted?: () => readonly Counted[]
  /** In place of working out hours in the turn itself. */
  readonly closeHours?: () => boolean
  /** What the disk holds and has left; without it nobody is told what waits. */
  readonly room?: () => Room
}

/** How long what is in the books stays beside them. */
export interface Kept {
  readonly engineLogDays: number
  readonly engineLogBytes: number
  /** Requests, transfers and intervals one by one; then sums by day. */
  readonly detailDays: number
}

/** Who was not told what may go lets nothing go: a command on a factory that stands does not know its settings. */
const keepAll: Kept = {
  engineLogDays: Number.POSITIVE_INFINITY,
  engineLogBytes: Number.POSITIVE_INFINITY,
  detailDays: Number.POSITIVE_INFINITY,
}

export interface Keeper {
  /** One turn; returns true when there is more to do at once. */
  tick(): boolean
  /** Stops after the turn under way, with a last one for what is there. */
  stop(): Promise<void>
  lag(): Lag & { readonly failing: string | null }
  /** What waits while the books take nothing in; null while they do. The store is not asked. */
  backlog(): Backlog | null
  /** Rows of a gateway's journal up to this number are in the books. */
  acknowledged(incarnation: string): number
  /** Which meters are read, and why not better ones. */
  meters(): { readonly names: readonly string[]; readonly note: string }
}

/** Between turns when there is nothing to do; a receipt is final this much later. */
const rest_ms = 200
const day_ms = 86_400_000
const midnightBefore = (at_ms: number): number => Math.floor(at_ms / day_ms) * day_ms
const tidyEvery_ms = 60_000

export function startKeeper(options: KeeperOptions): Keeper {
  const hours = new HoursThread(options.home, options.store, options.now)
  const keeper = newKeeper({ closeHours: () => hours.turn(), ...options })
  let turn: NodeJS.Timeout | undefined
  let stopped = false
  const loop = (): void => {
    const more = keeper.tick()
    if (!stopped) turn = setTimeout(loop, more ? 0 : rest_ms)
  }
  const stopMeters = everySecond(options.now, () => keeper.sample())
  turn = setTimeout(loop, 0)
  return {
    ...keeper,
    async stop() {
      stopped = true
      clearTimeout(turn)
      stopMeters()
      await hours.stop()
      keeper.sample()
      keeper.tick()
      keeper.close()
    },
  }
}

/** The keeper without its clock: tests turn it by hand. */
export function newKeeper(options: KeeperOptions) {
  const { home, store, meter, now, readers, leases } = options
  const { others = () => [], counted = () => [], keeps = keepAll } = options
  const { closeHours: close = () => closeHours(store, now()) } = options
  const chosen = readers ? { readers, note: 'given' } : machineMeters(meter)
  const meters = new OpenMeters(store, home.meters)
  const all = (): readonly MeterReader[] => [...chosen.readers, ...others()]
  const failures = new Failures(options)
  const unread = new Unread(home)
  let tidied = 0
  let rolling = false
  let leads = store.leads()

  /** What lies in this home. */
  const own: readonly (() => boolean)[] = [
    () => takeOwnJournals(options, unread),
    () => takeEngineLogs(store, home.engineLogs, now),
  ]
  /** What is decided from the books alone: by one of the operators that share them. */
  const shared: readonly (() => boolean)[] = [
    () => settleOrphans(store, now()),
    () => reconcileAttempts(store),
    () => closeLooks(store, now()),
    () => closeIntervals(store, now()),
    () => closeLevels(store, now()),
    () => leases?.settleDead() ?? false,
    () => closeTerms(store, now()),
    close,
    () => sumOldHour(store),
  ]
  const tick = (): boolean => {
    let more = false
    failures.catch('books', () => {
      leads = store.leads()
      for (const step of leads ? [...own, ...shared] : own) more = step() || more
      const due = now() - tidied >= tidyEvery_ms
      // In the pauses: nobody waits for it, and a day's worth takes minutes.
      if (leads && (due || rolling) && !more) rolling = rollUp(store, midnightBefore(now() - keeps.detailDays * day_ms))
      if (!due) return
      tidied = now()
      const since_ms = now() - keeps.engineLogDays * day_ms
      tidyEngineLogs(store, home.engineLogs, { since_ms, most_bytes: keeps.engineLogBytes })
      if (leads) pruneTallies(store, now())
    })
    return more
  }
  return {
    tick,
    sample: (): void =>
      failures.catch('meter', () => {
        const looks = counted()
        if (leads) for (const look of looks) insertCounted(store, look)
        meters.sample(leads ? all() : chosen.readers, now())
      }),
    close: (): void => meters.close(),
    lag: () => ({ ...lagOf(store, home, now()), failing: failures.first?.why ?? null }),
    backlog: () => {
      const stopped = failures.ofStore('books')
      return options.room && stopped?.began
        ? backlogOf(stopped, unread.rows, options.room(), stopped.began, now())
        : null
    },
    acknowledged: (incarnation: string): number => journalCursor(store, incarnation as Incarnation).seq,
    meters: () => ({ names: all().map(({ meter }) => meter), note: chosen.note }),
  }
}

/** Then every gateway that was here at the beginning of the turn is known, and read. */
function takeOwnJournals({ store, home, now, log }: KeeperOptions, unread: Unread): boolean {
  const asked_ms = now()
  const more = takeJournals(store, home.journals, now, (incarnation, seq) => unread.readTo(incarnation, seq))
  if (nodeReadTo(store, asked_ms)) log(wasAbandoned)
  return more
}

const wasAbandoned =
  'this home was given up while nobody heard of it (wattmill homes abandon), and is waited for again: what its gateways ' +
  'journaled meanwhile is booked late, and hours that were closed are corrected where they are not rolled up'

/** The CPUs' own counters where they may be read, else an estimate; never both, or the same joule would count twice. */
function machineMeters({ idleWatts, fullWatts }: KeeperOptions['meter']): {
  readers: readonly MeterReader[]
  note: string
} {
  const rapl = raplMeters(watts(idleWatts))
  return rapl.found
    ? { readers: rapl.meters, note: 'measured by the CPU packages (RAPL)' }
    : { readers: [cpuMeter(watts(idleWatts), watts(fullWatts))], note: `estimated from CPU time: ${rapl.why}` }
}

/** Rows that wait in the journals of this home, counted without the store: by how far they were read when it last answered. */
class Unread {
  readonly #home: Home
  #read = new Map<Incarnation, number>()

  constructor(home: Home) {
    this.#home = home
  }

  readTo(incarnation: Incarnation, seq: number): void {
    this.#read.set(incarnation, seq)
  }

  get rows(): number {
    const { journals } = this.#home
    const there = listJournals(journals)
    this.#read = new Map(there.map((name) => [name, this.#read.get(name) ?? 0]))
    return there.reduce((sum, name) => sum + Math.max(0, lastOf(journals, name) - (this.#read.get(name) ?? 0)), 0)
  }
}

const ours = 'failed'

interface Failure extends Stoppage {
  readonly began: Room | undefined
}

/** What fails in a turn is told once and tried again in the next: a full disk is not a reason to die. */
class Failures {
  readonly #known = new Map<string, Failure>()
  readonly #options: KeeperOptions

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** The oldest that lasts. */
  get first(): Failure | undefined {
    return this.#known.values().next().value
  }

  /** Why something fails where it is the store's fault; a fault of ours is said as it is. */
  ofStore(what: string): Failure | undefined {
    const found = this.#known.get(what)
    return found?.fault === ours ? undefined : found
  }

  catch(what: string, work: () => void): void {
    const { log, store, now, room } = this.#options
    const asked_ms = now() // a database that hangs says so after its patience
    try {
      work()
      if (this.#known.delete(what)) log(`keeper: ${what} works again`)
    } catch (thrown) {
      const cause = asStoreError(store.path, thrown)
      const why = cause instanceof Error ? cause.message : String(cause)
      const known = this.#known.get(what)
      if (known?.why !== why) log(`keeper: ${what} failed: ${why}`)
      const fault = cause instanceof StoreError ? cause.fault : ours
      const { since_ms, began } = known ?? { since_ms: asked_ms, began: room?.() }
      this.#known.set(what, { since_ms, began, fault, why })
    }
  }
}

/** At every whole second of the clock, so that intervals and the engines' seconds fall together. */
function everySecond(now: () => number, work: () => void): () => void {
  let timer: NodeJS.Timeout
  const next = (): void => {
    timer = setTimeout(
      () => {
        work()
        next()
      },
      1000 - (now() % 1000),
    )
  }
  next()
  return () => clearTimeout(timer)
}
