/** A machine's processors and the host above them, what a utility charges for the highest power, and the truth about both. */
import { declare } from '../../src/adapters/sqlite/costs/declarations.ts'
import { insertInterval } from '../../src/adapters/sqlite/intervals.ts'
import { placeMeter } from '../../src/adapters/sqlite/registry/places.ts'
import type { Store } from '../../src/adapters/sqlite/store.ts'
import { millijoules, nanoDollars } from '../../src/units/amount.ts'
import type { Dice } from '../dice.ts'
import type { Truth } from './story.ts'

const [hour_ms, quarter_ms] = [3_600_000, 900_000]
/** Both fall together with quarters of an hour, so that the truth needs no cut. */
const [processors_ms, host_ms] = [5_000, 20_000]

export class Hall {
  readonly #dice: Dice
  readonly #usdPerKw: bigint
  readonly #rule: 'even' | 'peak'
  readonly #first: number
  #read_ms: number
  #sequence = 0
  #hosts = 0
  /** What the processors drew since the host was read. */
  #below_mj = 0n
  #owed_mj = 0n
  #owedHour = Number.NaN
  beyond_mj = 0n

  constructor(store: Store, dice: Dice, start_ms: number) {
    this.#dice = dice
    this.#read_ms = start_ms
    this.#usdPerKw = BigInt(2 * dice.whole(1_000_000, 20_000_000_000) + 1)
    this.#rule = dice.pick(['even', 'peak'] as const)
    this.#first = Math.floor(start_ms / hour_ms)
    const source = { kind: 'watts', idle: 0, full: 1 } as const
    placeMeter(store, { name: 'host', source }, { level: 'host', rule: 'energy', below: ['rapl-0'] }, 1)
    const terms = {
      per: 'kW',
      amount: nanoDollars(this.#usdPerKw),
      interval_min: 15,
      offset_min: 0,
      rule: this.#rule,
    } as const
    declare(store, { kind: 'demand', name: 'all', from_ms: this.#first * hour_ms, terms, note: '' }, start_ms)
  }

  isDue(now_ms: number): boolean {
    return now_ms - this.#read_ms >= processors_ms
  }

  /** The processors; and the host after every fourth time, now and then below them: then nothing is booked of it, and it owes. */
  read(store: Store, truth: Truth): void {
    const from_ms = this.#read_ms
    this.#read_ms += processors_ms
    const energy_mj = BigInt(this.#dice.whole(0, 2_000_000))
    this.#insert(store, 'rapl-0', ++this.#sequence, from_ms, energy_mj)
    this.#below_mj += energy_mj
    draw(truth, from_ms, energy_mj)
    if (this.#sequence % (host_ms / processors_ms) === 0) this.#readHost(store, truth)
  }

  #readHost(store: Store, truth: Truth): void {
    const [from_ms, to_ms] = [this.#read_ms - host_ms, this.#read_ms]
    const shown_mj = (this.#below_mj * BigInt(this.#dice.whole(85, 160))) / 100n
    this.#insert(store, 'host', ++this.#hosts, from_ms, shown_mj)
    const hour = Math.ceil(to_ms / hour_ms)
    const owed_mj = hour === this.#owedHour ? this.#owed_mj : 0n
    const rest_mj = shown_mj - this.#below_mj - owed_mj
    this.#owedHour = hour
    this.#owed_mj = rest_mj < 0n ? -rest_mj : 0n
    this.#below_mj = 0n
    if (rest_mj <= 0n) return
    this.beyond_mj += rest_mj
    draw(truth, from_ms, rest_mj)
  }

  #insert(store: Store, meter: string, sequence: number, from_ms: number, energy_mj: bigint): void {
    const idle = millijoules(meter === 'host' ? 0n : energy_mj / 4n)
    const energy = millijoules(energy_mj)
    const common = { meter, sequence, from_ms, to_ms: this.#read_ms, energy, idle }
    insertInterval(store, { ...common, grade: 'measured', reset: false })
  }

  /** What closed hours bear of the month's highest quarter: all of it, or their even part. */
  charged({ drawn_mj }: Truth, now_ms: number): bigint {
    const highest_mj = [...drawn_mj.values()].reduce((most, one) => (one > most ? one : most), 0n)
    const [top, by] = [highest_mj * this.#usdPerKw, 900n * 1_000_000n]
    const charge = (2n * top + by) / (2n * by)
    if (this.#rule === 'peak') return charge
    const begun = new Date(this.#first * hour_ms)
    const end = Date.UTC(begun.getUTCFullYear(), begun.getUTCMonth() + 1) / hour_ms
    const [hours, closed] = [BigInt(end - this.#first), BigInt(Math.floor(now_ms / hour_ms) - this.#first)]
    const over = charge % hours
    return (charge / hours) * closed + (over < closed ? over : closed)
  }
}

function draw(truth: Truth, from_ms: number, energy_mj: bigint): void {
  const quarter = from_ms - (from_ms % quarter_ms)
  truth.energy_mj += energy_mj
  truth.drawn_mj.set(quarter, (truth.drawn_mj.get(quarter) ?? 0n) + energy_mj)
}
