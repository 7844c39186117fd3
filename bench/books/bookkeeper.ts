/** The store under a story: one operation after another, and in the end the comparison with what was counted beside it. */
import type { Home } from '../../src/adapters/files/home.ts'
import { closeIntervals } from '../../src/adapters/sqlite/close-intervals.ts'
import { closeLevels } from '../../src/adapters/sqlite/close-levels.ts'
import { closeHours } from '../../src/adapters/sqlite/costs/close-hours.ts'
import { engineCursor, engineReadTo, finishEngine, ingestEngineLog } from '../../src/adapters/sqlite/engine-log.ts'
import { ingestJournal, journalReadTo, markDead, noteJournal } from '../../src/adapters/sqlite/ingest.ts'
import { settleOrphans } from '../../src/adapters/sqlite/orphans.ts'
import { one, stream } from '../../src/adapters/sqlite/query.ts'
import { reconcileAttempts } from '../../src/adapters/sqlite/reconcile.ts'
import { setPrice } from '../../src/adapters/sqlite/registry/prices.ts'
import { openStore, type Store } from '../../src/adapters/sqlite/store.ts'
import { StoreError } from '../../src/adapters/sqlite/store-error.ts'
import type { Check } from '../../src/books/check.ts'
import { id } from '../../src/units/ids.ts'
import { type Dice, dice } from '../dice.ts'
import { Hall } from './hall.ts'
import {
  attemptBy,
  closed,
  count,
  countHit,
  Gateway,
  hit,
  logged,
  model,
  type PriceList,
  pricesBy,
  type Truth,
} from './story.ts'

const engine = 'e0'
/** Five minutes before an hour ends. */
const start_ms = 1_790_002_500_000

/** A fault in the midst of a transaction, which has to leave nothing behind. */
class BrokeOff extends Error {}

export class Bookkeeper {
  store: Store
  readonly did = new Map<string, number>()
  readonly truth: Truth = {
    requests: 0,
    tokens: 0n,
    nano_usd: 0n,
    energy_mj: 0n,
    drawn_mj: new Map(),
    hits: 0,
    conflicts: 0,
  }
  readonly #home: Home
  readonly #dice: Dice
  readonly #gateways: Gateway[]
  #born = 0
  #now_ms = start_ms
  readonly #pace_ms: number
  readonly #hall: Hall
  /** Lines that the engine wrote and nobody has read. */
  #log: string[] = []
  #price: PriceList

  /** `pace_ms`: between two operations, at the most. */
  constructor(home: Home, seed: number, pace_ms = 40) {
    this.#pace_ms = pace_ms
    this.#home = home
    this.#dice = dice(seed)
    this.store = openStore(home)
    this.#gateways = [this.#bear(), this.#bear(), this.#bear()]
    this.#price = this.#newPrice()
    this.#hall = new Hall(this.store, this.#dice, start_ms)
  }

  /** One more thing happens. */
  operate(): void {
    const dice = this.#dice
    this.#now_ms += dice.whole(0, this.#pace_ms)
    if (this.#hall.isDue(this.#now_ms)) return this.#count('energy metered', () => this.#meter())
    const chance = dice.whole(0, 9999)
    const gateway = dice.pick(this.#gateways)
    if (chance < 4200) return this.#count('request asked', () => this.#ask(gateway))
    if (chance < 8400) return this.#count('request settled', () => this.#settle(gateway))
    if (chance < 9100) return this.#count('journal told', () => this.#deliver(gateway, gateway.delivered))
    if (chance < 9400) return this.#count('journal told again', () => this.#deliver(gateway, this.#earlier(gateway)))
    if (chance < 9600) return this.#count('engine log read', () => this.#readLog())
    if (chance < 9750) return this.#count('turn of the keeper', () => this.#turn())
    if (chance < 9850) return this.#count('transaction broken off', () => this.#breakOff(gateway))
    if (chance < 9900) return this.#count('disk full', () => this.#fill(gateway))
    if (chance < 9950) return this.#count('contradiction', () => this.#contradict(gateway))
    if (chance < 9985) return this.#count('price changed', () => this.#reprice())
    if (chance < 9995) return this.#count('gateway died', () => this.#die(gateway))
    return this.#count('store opened anew', () => this.#reopen())
  }

  /** Everything that is still under way comes to rest. */
  finish(): void {
    for (const gateway of [...this.#gateways]) this.#die(gateway)
    for (this.#now_ms += 60_000; this.#hall.isDue(this.#now_ms); ) this.#meter()
    this.#readLog()
    finishEngine(this.store, engine)
    this.#now_ms += 2 * 3_600_000 // the last hour is over
    for (const { incarnation } of this.#gateways) journalReadTo(this.store, incarnation, this.#now_ms)
    for (let more = true; more; ) more = this.#turn()
  }

  /** Where the books are not what happened. */
  compare(found: Check): string[] {
    const sum = (unit: string, where: string): bigint => {
      const find = `select amount from transfer where unit = ? and ${where}`
      let all = 0n
      for (const { amount } of stream<{ amount: bigint }>(this.store.database, find, unit)) all += amount
      return all
    }
    const is: readonly (readonly [string, bigint | number, bigint | number])[] = [
      ['tokens', sum('token', '1 = 1'), this.truth.tokens],
      ['nano-USD of requests', sum('nano-USD', "id not like 'cost/%'"), this.truth.nano_usd],
      [
        'nano-USD of demand',
        sum('nano-USD', "debit = 'demand/all'") - sum('nano-USD', "credit = 'demand/all'"),
        this.#hall.charged(this.truth, this.#now_ms),
      ],
      ['mJ of the host beyond its processors', sum('mJ', "debit = 'meter/host'"), this.#hall.beyond_mj],
      ['mJ', sum('mJ', "debit like 'meter/%'"), this.truth.energy_mj],
      ['requests', found.requests, this.truth.requests],
      ['open requests', found.open, 0],
      ['rows put aside', found.quarantined, this.truth.conflicts],
    ]
    const wrong = is.flatMap(([what, books, truth]) => (books === truth ? [] : `${books} ${what}, should be ${truth}`))
    if (!found.conserved) wrong.push(`the check found ${JSON.stringify(found.first_broken)} and ${found.broken} in all`)
    return wrong
  }

  #count(what: string, does: () => unknown): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1)
    does()
  }

  #newPrice(): PriceList {
    const perMillion = pricesBy(this.#dice)
    const hit_percent = this.#dice.whole(1, 100)
    const { version } = setPrice(this.store, {
      model: id(model),
      effective_from_ms: this.#now_ms,
      perMillion,
      hit_percent,
      note: '',
    })
    return { version, prices: perMillion, hit_percent }
  }

  #reprice(): void {
    this.#price = this.#newPrice()
  }

  #ask(gateway: Gateway): void {
    gateway.ask(this.#dice, this.#now_ms, this.#price)
  }

  /** The oldest or any other that is open; up to three attempts, of engines of ours or hosted ones. */
  #settle(gateway: Gateway): void {
    const dice = this.#dice
    const at = dice.whole(0, Math.min(gateway.open.length, 50) - 1)
    const [asked] = gateway.open.length === 0 ? [] : gateway.open.splice(at, 1)
    if (!asked) return
    if (dice.whole(0, 11) === 0) {
      const answered = hit(dice, asked, this.#now_ms + 50)
      gateway.write(answered)
      return countHit(this.truth, answered, asked.list)
    }
    const attempts = Array.from({ length: dice.whole(0, 9) === 0 ? dice.whole(2, 3) : 1 }, (_, index) => {
      const own = dice.whole(0, 2) > 0
      return attemptBy(dice, index + 1, own ? this.#work(asked.row.id, index + 1) : undefined)
    })
    const row = closed(dice, asked, attempts, this.#now_ms + 50)
    gateway.write(row)
    count(this.truth, row, asked.list.prices)
  }

  #work(request: string, attempt: number) {
    const log = logged(this.#dice, request, attempt, this.#now_ms)
    this.truth.tokens += BigInt(log.tokens)
    this.#log.push(...log.lines)
    return log
  }

  #deliver(gateway: Gateway, from: number): void {
    const rows = gateway.rows.slice(from, from + this.#dice.whole(1, 500))
    const { seq } = ingestJournal(this.store, gateway.incarnation, rows)
    gateway.delivered = seq
    if (seq === gateway.rows.length) journalReadTo(this.store, gateway.incarnation, this.#now_ms)
  }

  #earlier = (gateway: Gateway): number => Math.max(0, gateway.delivered - this.#dice.whole(1, 800))

  #readLog(): void {
    const from = engineCursor(this.store, engine)
    const next = { file: 0, offset: from.offset + this.#log.length }
    const piece = { lines: this.#log, next, end: false }
    ingestEngineLog(this.store, engine, id('embedded'), from, piece)
    if (this.#dice.whole(0, 3) === 0) ingestEngineLog(this.store, engine, id('embedded'), from, piece) // read twice
    this.#log = []
    engineReadTo(this.store, engine, this.#now_ms)
  }

  #turn(): boolean {
    const did = [
      settleOrphans(this.store, this.#now_ms),
      reconcileAttempts(this.store),
      closeIntervals(this.store, this.#now_ms),
      closeLevels(this.store, this.#now_ms),
      closeHours(this.store, this.#now_ms),
    ]
    return did.some(Boolean)
  }

  /** It did all of its work, and is gone before the commit. */
  #breakOff(gateway: Gateway): void {
    const { delivered } = gateway
    try {
      this.store.transaction(() => {
        this.#deliver(gateway, delivered)
        this.#turn()
        throw new BrokeOff()
      })
    } catch (error) {
      if (!(error instanceof BrokeOff)) throw error
    }
    gateway.delivered = delivered
  }

  /** Not a page more than there is. What fits in free pages goes through. */
  #fill(gateway: Gateway): void {
    const { database } = this.store
    const pages = Number(one<{ page_count: number }>(database, 'pragma page_count')?.page_count)
    database.exec(`pragma max_page_count = ${pages}`)
    const { delivered } = gateway
    try {
      this.#deliver(gateway, delivered)
    } catch (error) {
      if (!(error instanceof StoreError && error.fault === 'full')) throw error
      gateway.delivered = delivered
    } finally {
      database.exec('pragma max_page_count = 1073741823')
    }
  }

  /** The same request with another payload. */
  #contradict(gateway: Gateway): void {
    const known = this.#dice.pick(gateway.rows.length > 0 ? gateway.rows : [undefined])?.row
    if (known?.kind !== 'close') return
    gateway.write({ ...known, closed_ms: known.closed_ms + 1 })
    this.truth.conflicts++
  }

  /** What lay in its journal is read; what it had open is settled by rule. Some of it had been worked on. */
  #die(gateway: Gateway): void {
    for (const { row } of gateway.open) {
      if (this.#dice.whole(0, 1) === 0) this.#work(row.id, 1)
      this.truth.requests++
    }
    while (gateway.delivered < gateway.rows.length) this.#deliver(gateway, gateway.delivered)
    markDead(this.store, gateway.incarnation, this.#now_ms)
    this.#gateways[this.#gateways.indexOf(gateway)] = this.#bear()
  }

  #meter(): void {
    this.store.transaction(() => this.#hall.read(this.store, this.truth))
  }

  /** Its journal is known from its first moment on: what it asks for is waited for. */
  #bear(): Gateway {
    const gateway = new Gateway(this.#born++)
    noteJournal(this.store, gateway.incarnation)
    return gateway
  }

  #reopen(): void {
    this.store.close()
    this.store = openStore(this.#home)
  }
}
