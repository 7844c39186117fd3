import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'
import type { Drawn } from './curve.ts'
import type { Demand, Load } from './load.ts'
import { servesModel } from './load.ts'
import type { Option } from './options.ts'

/** A load and what it may be set to, from least to most. */
export interface Settable {
  readonly load: Load
  readonly options: readonly Option[]
}

/** What the settable loads under a limit may draw together. */
export interface Room {
  readonly power: Watts
  /** Places in the list of loads. */
  readonly members: readonly number[]
  /** How much more its sum varies than loads would that do not know of each other; 1: as those. */
  readonly together: number
}

export interface Plan {
  /** One for each load. */
  readonly chosen: readonly Option[]
  /** What is expected in each room at the most. */
  readonly drawn: readonly Watts[]
  /** What a second of it earns. */
  readonly worth: number
}

/** What loads of a room draw together. */
export interface Sum {
  readonly mean: number
  readonly variance: number
  readonly most: number
}

export const nobodyDraws: Sum = { mean: 0, variance: 0, most: 0 }

const added = (sum: Sum, { mean, deviation, most }: Drawn, sign: 1 | -1): Sum => ({
  mean: sum.mean + sign * mean,
  variance: sum.variance + sign * deviation * deviation,
  most: sum.most + sign * most,
})

export const plusDrawn = (sum: Sum, drawn: Drawn): Sum => added(sum, drawn, 1)

/** So many deviations above the mean, but no more than all can draw. */
export const boundOf = ({ mean, variance, most }: Sum, spread: number, together: number): number =>
  Math.min(most, mean + spread * Math.sqrt(Math.max(0, variance) * together))

/** A place for which there is no request is worth this part of the least of a request: somebody may come. */
const spare = 1e-3

/**
 * Fills every room with what earns most for its watts: again and again the step of one load that adds most for each watt more, until
 * none fits. Steps may be long, because the first request of an engine costs more watts than the next ten.
 *
 * So when a room shrinks, what goes first is what earns least for its watts. `spread`: deviations above the mean that must fit too.
 */
export function planWithin(
  loads: readonly Settable[],
  rooms: readonly Room[],
  demands: readonly Demand[],
  spread: number,
): Plan {
  const filling = new Filling(loads, rooms, demands, spread)
  while (filling.step());
  return filling.plan()
}

/** What the same demand would get under given settings; for comparing. */
export function judged(
  loads: readonly Settable[],
  chosen: readonly number[],
  rooms: readonly Room[],
  demands: readonly Demand[],
  spread: number,
): Plan {
  const filling = new Filling(loads, rooms, demands, spread)
  for (const [at, option] of chosen.entries()) filling.set(at, option)
  return filling.plan()
}

class Filling {
  readonly #loads: readonly Settable[]
  readonly #rooms: readonly Room[]
  readonly #demands: readonly Demand[]
  readonly #spread: number
  /** Places in the lists of options. */
  readonly #at: number[]
  /** By room. */
  readonly #sums: Sum[]
  readonly #roomsOf: number[][]
  /** Demands that a load can serve, the best first. */
  readonly #wants: number[][]
  readonly #left: number[]
  /** Worth of the requests that have a place at each load, and how many those are. */
  readonly #earns: number[]
  readonly #serves: number[]
  readonly #spare: number

  constructor(loads: readonly Settable[], rooms: readonly Room[], demands: readonly Demand[], spread: number) {
    this.#loads = loads
    this.#rooms = rooms
    this.#demands = demands
    this.#spread = spread
    this.#at = loads.map(() => 0)
    this.#earns = loads.map(() => 0)
    this.#serves = loads.map(() => 0)
    this.#left = demands.map(({ requests }) => requests)
    this.#sums = rooms.map(({ members }) =>
      members.reduce((sum, at) => plusDrawn(sum, this.#option(at).drawn), nobodyDraws),
    )
    this.#roomsOf = loads.map((_, at) => rooms.flatMap(({ members }, room) => (members.includes(at) ? [room] : [])))
    const byWorth = demands.map((_, at) => at).sort((a, b) => (demands[b]?.worth ?? 0) - (demands[a]?.worth ?? 0))
    this.#wants = loads.map(({ load }) => byWorth.filter((at) => servesModel(load, demands[at]?.model ?? '')))
    this.#spare = spare * Math.min(1, ...demands.flatMap(({ worth }) => (worth > 0 ? [worth] : [])))
  }

  /** The best step of all; false: none fits, or is worth anything. */
  step(): boolean {
    let best: { load: number; to: number; rate: number } | undefined
    for (let load = 0; load < this.#loads.length; load++) {
      const { length } = this.#loads[load]?.options ?? []
      for (let to = (this.#at[load] ?? 0) + 1; to < length; to++) {
        const gain = this.#gain(load, to)
        if (gain <= 0) continue
        const more = this.#more(load, to)
        if (more === undefined) continue
        const rate = gain / Math.max(1e-3, more)
        if (!best || rate > best.rate) best = { load, to, rate }
      }
    }
    if (!best) return false
    this.set(best.load, best.to)
    return true
  }

  set(load: number, to: number): void {
    const [before, after] = [this.#option(load), this.#option(load, to)]
    for (const room of this.#roomsOf[load] ?? []) {
      this.#sums[room] = this.#changed(room, before, after)
    }
    let places = after.requests - (this.#serves[load] ?? 0)
    for (const want of this.#wants[load] ?? []) {
      const taken = Math.min(places, this.#left[want] ?? 0)
      if (taken <= 0) continue
      places -= taken
      this.#left[want] = (this.#left[want] ?? 0) - taken
      this.#serves[load] = (this.#serves[load] ?? 0) + taken
      this.#earns[load] = (this.#earns[load] ?? 0) + taken * (this.#demands[want]?.worth ?? 0)
    }
    this.#at[load] = to
  }

  plan(): Plan {
    const worth = this.#loads.reduce((sum, _, at) => sum + this.#option(at).speed * (this.#earns[at] ?? 0), 0)
    return {
      chosen: this.#loads.map((_, at) => this.#option(at)),
      drawn: this.#sums.map((sum, at) => watts(this.#bound(at, sum))),
      worth,
    }
  }

  #option(load: number, at = this.#at[load] ?? 0): Option {
    return this.#loads[load]?.options[at] as Option
  }

  /** What more a load would earn: for more requests, and for those that it has, faster. */
  #gain(load: number, to: number): number {
    const [before, after] = [this.#option(load), this.#option(load, to)]
    let places = after.requests - (this.#serves[load] ?? 0)
    let earns = this.#earns[load] ?? 0
    for (const want of this.#wants[load] ?? []) {
      const taken = Math.max(0, Math.min(places, this.#left[want] ?? 0))
      places -= taken
      earns += taken * (this.#demands[want]?.worth ?? 0)
    }
    const spareBefore = before.requests - (this.#serves[load] ?? 0)
    const [faster, slower] = [after.speed, before.speed]
    return faster * earns - slower * (this.#earns[load] ?? 0) + this.#spare * (faster * places - slower * spareBefore)
  }

  /** Watts that a step adds in the fullest of its rooms; undefined: it does not fit one. */
  #more(load: number, to: number): number | undefined {
    const [before, after] = [this.#option(load), this.#option(load, to)]
    let most = after.drawn.mean - before.drawn.mean
    for (const room of this.#roomsOf[load] ?? []) {
      const has = this.#bound(room, this.#sums[room] ?? nobodyDraws)
      const drawn = this.#bound(room, this.#changed(room, before, after))
      if (drawn > (this.#rooms[room]?.power ?? 0) && drawn > has) return undefined
      most = Math.max(most, drawn - has)
    }
    return most
  }

  #bound(room: number, sum: Sum): number {
    return boundOf(sum, this.#spread, this.#rooms[room]?.together ?? 1)
  }

  #changed(room: number, before: Option, after: Option): Sum {
    return plusDrawn(added(this.#sums[room] ?? nobodyDraws, before.drawn, -1), after.drawn)
  }
}
