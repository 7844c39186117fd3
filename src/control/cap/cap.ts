/**
 * Holds power under its limits. Each second: what was drawn teaches what equipment draws under which load; what may be drawn is
 * filled with what earns most for its watts; what comes out are set-points, which gateways and devices obey.
 *
 * What cannot be turned down, or says nothing, is counted at the most that it can draw. Whether the plan was right shows at the
 * meters: what they show above a limit is taken off the plan until it is gone.
 */
import type { Watts } from '../../units/quantity.ts'
import { larger, watts } from '../../units/quantity.ts'
import { type Drawn, exactly, PowerCurve } from './curve.ts'
import type { CapAlarm, CapDecision, Foreseen, LimitState, Setting } from './decision.ts'
import { covers, limitAt, lowestIn, type PowerLimit } from './limit.ts'
import { type Demand, isFresh, type Load, runningAt } from './load.ts'
import { type Option, optionsOf } from './options.ts'
import { boundOf, judged, nobodyDraws, type Plan, planWithin, plusDrawn, type Room, type Settable } from './plan.ts'
import { heldOf, settingsOf } from './settings.ts'
import { Together } from './together.ts'

/** What the policy sees in one look. */
export interface PlantView {
  readonly now_ms: number
  readonly limits: readonly PowerLimit[]
  readonly loads: readonly Load[]
  readonly demands: readonly Demand[]
}

export interface CapTerms {
  /** Deviations above the mean that must fit: 3 leaves one second in 700 to chance, where seconds are as they usually are. */
  readonly spread: number
  /** Requests under way go on: so long before a lower limit begins it is kept to. */
  readonly ahead_ms: number
  /** A device that has not confirmed its limit after so long does not hear. */
  readonly confirms_ms: number
}

export const capTerms: CapTerms = { spread: 3, ahead_ms: 30_000, confirms_ms: 3_000 }

/** A better plan for the same demand is worth a change from so much on: demand goes up and down each second. */
const worthChange = 1.05
/** While the meters are below so much of a limit, this part of its correction stays each second. */
const calm = 0.97
const stays = 0.95
/** From a decision until the meters show it: published, obeyed, read. */
const takesSeconds = 5

/** So long the meters are waited for. */
const begins_ms = 10_000

/** Of a day with an event every other hour. */
const mostForeseen = 12

/** A limit, what is under it, and what of it is left to be planned. */
interface Under extends Room {
  readonly limit: PowerLimit
  readonly loads: readonly Load[]
  readonly ahead: Watts
  readonly reserved: Watts
}

export class PowerCap {
  readonly #terms: CapTerms
  readonly #curves = new Map<string, PowerCurve>()
  /** By load: the time of the reading that was learned from last, and the most that was ever read. */
  readonly #learned = new Map<string, number>()
  readonly #most = new Map<string, Watts>()
  /** What was expected in the last seconds, by limit, and how much more loads under it vary together. */
  readonly #expected = new Map<string, readonly number[]>()
  readonly #together = new Map<string, Together>()
  readonly #corrections = new Map<string, Watts>()
  /** What devices were asked to keep to. */
  readonly #asked = new Map<string, { readonly power: Watts; readonly since_ms: number }>()
  #last: ReadonlyMap<string, Option> = new Map()
  #held: CapDecision['held'] = []
  #began_ms: number | undefined

  constructor(terms: CapTerms = capTerms) {
    this.#terms = terms
  }

  /** Undefined: it has just begun and has not heard the meters yet; what was decided before holds on. */
  decide({ now_ms, limits, loads, demands }: PlantView): CapDecision | undefined {
    this.#began_ms ??= now_ms
    const heard = loads.every((load) => isFresh(load, now_ms))
    if (!heard && now_ms - this.#began_ms < begins_ms && this.#last.size === 0) return undefined
    for (const limit of limits) this.#learnTogether(limit, loads, now_ms)
    for (const load of loads) this.#learn(load, now_ms)
    const able = loads.map((load) => (this.#isDeaf(load, now_ms) ? { ...load, limiter: null } : load))
    const settable = able
      .filter((load) => isFresh(load, now_ms))
      .map((load) => ({ load, options: optionsOf(load, this.#curveOf(load)) }))
    const under = limits.map((limit) => this.#under(limit, able, settable, now_ms))
    const full = this.#judge(settable, ({ options }) => options.length - 1, under, demands)
    const binds = !full || !fits(full, under)
    const wished = binds ? this.#plan(settable, under, demands) : full
    const plan = this.#inTurn(settable, wished, under, demands)
    const states = under.map((one, at) => this.#stateOf(one, plan.drawn[at], full?.drawn[at], now_ms))
    const held = binds ? heldOf(demands, settable, wished, this.#held) : []
    this.#keep(settable, plan, now_ms)
    this.#held = held
    return {
      at_ms: now_ms,
      limits: states,
      settings: [...settingsOf(settable, plan), ...under.flatMap((one) => turnedOff(one, able, settable))],
      held,
      alarms: [...loads.flatMap((load) => this.#alarmsOf(load, limits, now_ms)), ...states.flatMap(alarmsAt)],
    }
  }

  /**
   * What is to be done at events that are known, should nobody be there to decide when they begin: by admission alone, since
   * devices need somebody who turns them down.
   */
  foresee({ now_ms, limits, loads, demands }: PlantView): Foreseen[] {
    const events = limits.flatMap((limit) => limit.events).filter(({ from_ms }) => from_ms > now_ms)
    const settable = loads
      .map((load) => ({ ...load, limiter: null }))
      .filter((load) => isFresh(load, now_ms))
      .map((load) => ({ load, options: optionsOf(load, this.#curveOf(load)) }))
    return events
      .sort((a, b) => a.from_ms - b.from_ms)
      .slice(0, mostForeseen)
      .map(({ from_ms, until_ms }) => {
        const under = limits.map((limit) => this.#under(limit, loads, settable, from_ms, now_ms))
        const full = this.#judge(settable, ({ options }) => options.length - 1, under, demands)
        const fitting = full && fits(full, under)
        const plan = fitting ? full : planWithin(settable, under, demands, this.#terms.spread)
        const held = fitting ? [] : heldOf(demands, settable, plan, this.#held)
        return { from_ms: from_ms - this.#terms.ahead_ms, until_ms, settings: settingsOf(settable, plan), held }
      })
  }

  /** A second under a device's own limit says nothing of what it would have drawn. */
  #learn(load: Load, now_ms: number): void {
    const { name, reading, limiter } = load
    if (!reading || !isFresh(load, now_ms) || reading.at_ms <= (this.#learned.get(name) ?? 0)) return
    this.#learned.set(name, reading.at_ms)
    this.#most.set(name, larger(this.#most.get(name) ?? watts(0), reading.power))
    if (limiter && limiter.confirmed < limiter.most && reading.power > 0.95 * limiter.confirmed) return
    this.#curveOf(load).learn(runningAt(load), reading.power)
  }

  #learnTogether(limit: PowerLimit, all: readonly Load[], now_ms: number): void {
    const loads = all.filter((load) => isFresh(load, now_ms) && load.engines.some(({ name }) => covers(limit, name)))
    const known = this.#together.get(limit.name) ?? new Together()
    this.#together.set(limit.name, known)
    const drawn = loads.reduce((sum, { reading }) => sum + (reading?.power ?? 0), 0)
    known.learn(
      watts(drawn),
      loads.map((load) => this.#drawnAt(load)),
    )
  }

  #curveOf(load: Load): PowerCurve {
    const full = this.#fullOf(load)
    const curve = this.#curves.get(load.name) ?? new PowerCurve(full)
    curve.full = full
    this.#curves.set(load.name, curve)
    return curve
  }

  /** Where nobody says what it can draw, the most that it was seen to. */
  #fullOf({ name, full, idle }: Load): Watts {
    return full ?? larger(this.#most.get(name) ?? watts(0), idle)
  }

  #isDeaf({ name, limiter }: Load, now_ms: number): boolean {
    const asked = this.#asked.get(name)
    return (
      limiter !== null &&
      asked !== undefined &&
      limiter.confirmed > asked.power &&
      now_ms - asked.since_ms > this.#terms.confirms_ms
    )
  }

  #under(limit: PowerLimit, all: readonly Load[], settable: readonly Settable[], at_ms: number, now_ms = at_ms): Under {
    const loads = all.filter(({ engines }) => engines.some(({ name }) => covers(limit, name)))
    const silent = loads.filter((load) => !isFresh(load, now_ms))
    const reserved = watts(silent.reduce<number>((sum, load) => sum + this.#fullOf(load), limit.other))
    const ahead = lowestIn(limit, at_ms, at_ms + this.#terms.ahead_ms)
    return {
      limit,
      loads,
      ahead,
      reserved,
      members: settable.flatMap(({ load }, at) => (loads.some(({ name }) => name === load.name) ? [at] : [])),
      power: watts(ahead - reserved - (this.#corrections.get(limit.name) ?? 0)),
      together: this.#together.get(limit.name)?.ratio(loads.length) ?? 1,
    }
  }

  /** As before, as long as that fits and nothing much better does. */
  #plan(settable: readonly Settable[], under: readonly Under[], demands: readonly Demand[]): Plan {
    const plan = planWithin(settable, under, demands, this.#terms.spread)
    const as = ({ load, options }: Settable): number =>
      options.findIndex((one) => isSame(one, this.#last.get(load.name)))
    const before = this.#judge(settable, as, under, demands)
    return before && fits(before, under) && plan.worth <= before.worth * worthChange ? before : plan
  }

  /** What is turned down first makes room: until it has, nothing is turned up. */
  #inTurn(settable: readonly Settable[], plan: Plan, under: readonly Under[], demands: readonly Demand[]): Plan {
    const now = settable.map(({ load }, at) => this.#drawnNow(load, plan.chosen[at] as Option))
    const tight = under.some(({ members, power }) => members.reduce((sum, at) => sum + (now[at] ?? 0), 0) > power)
    if (!tight) return plan
    const before = settable.map(({ load, options }, at) => {
      const next = plan.chosen[at] as Option
      // Whoever has just begun finds at work what was decided before.
      const last = this.#last.has(load.name)
        ? options.find((option) => isSame(option, this.#last.get(load.name)))
        : options.find(({ requests }) => requests >= runningAt(load))
      return options.indexOf(last && next.drawn.mean > last.drawn.mean ? last : next)
    })
    return before.includes(-1) ? plan : judged(settable, before, under, demands, this.#terms.spread)
  }

  /** With what is under way still, and the limit that its device still has. */
  #drawnNow(load: Load, { requests, power, drawn }: Option): number {
    const [running, confirmed] = [runningAt(load), load.limiter?.confirmed ?? Infinity]
    const held = Math.max(power ?? Infinity, confirmed)
    const mean =
      running > requests || held > (power ?? Infinity)
        ? this.#curveOf(load).at(Math.max(running, requests)).mean
        : drawn.mean
    return Math.min(mean, held)
  }

  #judge(
    settable: readonly Settable[],
    choose: (of: Settable) => number,
    under: readonly Under[],
    demands: readonly Demand[],
  ): Plan | undefined {
    const chosen = settable.map(choose)
    return chosen.includes(-1) ? undefined : judged(settable, chosen, under, demands, this.#terms.spread)
  }

  #keep(settable: readonly Settable[], { chosen }: Plan, now_ms: number): void {
    this.#last = new Map(settable.map(({ load }, at) => [load.name, chosen[at] as Option]))
    for (const [at, { load }] of settable.entries()) {
      const power = chosen[at]?.power ?? load.limiter?.most
      if (power === undefined || this.#asked.get(load.name)?.power === power) continue
      this.#asked.set(load.name, { power, since_ms: now_ms })
    }
  }

  #stateOf(under: Under, planned = watts(0), full = watts(0), now_ms: number): LimitState {
    const { limit, loads, ahead, reserved } = under
    const fresh = loads.filter((load) => isFresh(load, now_ms))
    const drawn = watts(fresh.reduce<number>((sum, { reading }) => sum + (reading?.power ?? 0), reserved))
    return {
      name: limit.name,
      limit: limitAt(limit, now_ms),
      ahead,
      planned: watts(planned + reserved),
      reserved,
      drawn,
      correction: this.#correct(
        under,
        limitAt(limit, now_ms),
        drawn,
        fresh.map((load) => this.#drawnAt(load)),
      ),
      binds: full > under.power,
    }
  }

  /** What the meters show above the limit, and above all that what was under way in the last seconds should have drawn. */
  #correct({ limit: { name }, reserved, together }: Under, limit: Watts, drawn: Watts, now: readonly Drawn[]): Watts {
    const expected = reserved + boundOf(now.reduce(plusDrawn, nobodyDraws), this.#terms.spread, together)
    const lately = [...(this.#expected.get(name) ?? []), expected].slice(-takesSeconds)
    this.#expected.set(name, lately)
    let correction: number = this.#corrections.get(name) ?? 0
    const off = drawn - Math.max(limit, ...lately)
    if (off > 0) correction = Math.min(limit / 2, correction + off)
    else if (drawn < calm * limit) correction = correction < 1 ? 0 : correction * stays
    this.#corrections.set(name, watts(correction))
    return watts(correction)
  }

  /** What a load should draw with what is under way at it, and the limit that its device has. */
  #drawnAt(load: Load): Drawn {
    const [drawn, held] = [this.#curveOf(load).at(runningAt(load)), load.limiter?.confirmed ?? Infinity]
    return held <= drawn.mean ? exactly(watts(held)) : drawn
  }

  #alarmsOf(load: Load, limits: readonly PowerLimit[], now_ms: number): CapAlarm[] {
    const { name, limiter } = load
    if (!limits.some((limit) => load.engines.some((engine) => covers(limit, engine.name)))) return []
    const [full, asked] = [this.#fullOf(load), this.#asked.get(name)]
    return [
      ...(isFresh(load, now_ms) ? [] : [{ kind: 'silent', load: name, watts: full } as const]),
      ...(load.full === null ? [{ kind: 'unknown', load: name, watts: full } as const] : []),
      ...(limiter && asked && this.#isDeaf(load, now_ms)
        ? [{ kind: 'deaf', load: name, watts: watts(limiter.confirmed - asked.power) } as const]
        : []),
    ]
  }
}

/** Where what cannot be seen may be more than all that is allowed, it is turned off, though no meter will say that it is. */
const turnedOff = (
  { reserved, ahead, loads }: Under,
  able: readonly Load[],
  settable: readonly Settable[],
): Setting[] =>
  reserved <= ahead
    ? []
    : loads
        .filter((load) => able.includes(load) && !settable.some((one) => one.load === load))
        .map(({ name, engines, limiter }) => ({
          load: name,
          engines: new Map(engines.map((engine) => [engine.name, 0])),
          power: limiter?.least ?? null,
        }))

const isSame = (option: Option, other: Option | undefined): boolean =>
  option.requests === other?.requests && option.power === other.power

const fits = ({ drawn }: Plan, rooms: readonly Room[]): boolean =>
  rooms.every(({ power }, at) => (drawn[at] ?? 0) <= power)

function alarmsAt({ name, limit, ahead, planned, drawn }: LimitState): CapAlarm[] {
  return [
    ...(planned > ahead ? [{ kind: 'impossible', limit: name, watts: watts(planned - ahead) } as const] : []),
    ...(drawn > limit ? [{ kind: 'over', limit: name, watts: watts(drawn - limit) } as const] : []),
  ]
}
