/** Holds power under the limits that were declared: looks each second, keeps what it decides, and sees that it is obeyed. */
import { boardLimits, limitBoard } from '../../adapters/nvidia/power-limit.ts'
import { bodyOf, type DecisionBody, keepDecision } from '../../adapters/sqlite/cap-decisions.ts'
import { notice } from '../../adapters/sqlite/notices.ts'
import { type LimitRecord, listLimits } from '../../adapters/sqlite/registry/power.ts'
import { type PlantView, PowerCap } from '../../control/cap/cap.ts'
import type { CapDecision, Foreseen } from '../../control/cap/decision.ts'
import type { Demand } from '../../control/cap/load.ts'
import type { Factory, Live } from './factory.ts'
import { type Boards, boardsUnder, loadsOf } from './loads.ts'

const look_ms = 1_000
const foreseeEvery_ms = 60_000
/** Devices are asked what they are held to: each time a process of some 50 ms. */
const boardsEvery_ms = 2_000
/** What lasts so long is told. */
const alarmAfter_ms = 30_000

export function startCapping(factory: Factory, live: Live): { close(): void } {
  const looker = new Looker(factory, live)
  let [closed, busy] = [false, false]
  const timer = setInterval(() => {
    if (closed || busy) return
    busy = true
    void looker.look().finally(() => {
      busy = false
    })
  }, look_ms)
  return {
    close() {
      closed = true
      clearInterval(timer)
    },
  }
}

class Looker {
  readonly #factory: Factory
  readonly #live: Live
  #cap = new PowerCap()
  #told: string | undefined
  #later: readonly Foreseen[] = []
  #foreseen: { readonly at_ms: number; readonly events: string } | undefined
  #boards: Boards = new Map()
  #asked_ms = 0
  /** Boards that were held by us. */
  readonly #held = new Set<string>()
  readonly #alarms = new Map<string, number>()
  #trouble: string | undefined

  constructor(factory: Factory, live: Live) {
    this.#factory = factory
    this.#live = live
  }

  async look(): Promise<void> {
    try {
      const { store, now } = this.#factory
      const limits = listLimits(store)
      if (!store.leads() || limits.length === 0) {
        this.#forget()
        await this.#letGo()
        return
      }
      await this.#askBoards(limits)
      const loads = loadsOf(store, this.#live, this.#boards)
      const view: PlantView = { now_ms: now(), limits, loads, demands: demandsOf(this.#live) }
      const decision = this.#cap.decide(view)
      if (!decision) return
      this.#live.power.now = decision
      this.#foresee(view)
      this.#keep(bodyOf(decision, this.#later), view)
      this.#alarm(decision)
      if (limits.some(({ devices }) => devices)) await this.#hold(decision)
      else await this.#letGo()
      this.#trouble = undefined
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (message !== this.#trouble) this.#factory.log(`power: ${message}`) // each second the same, while a database is away
      this.#trouble = message
    }
  }

  #forget(): void {
    if (!this.#live.power.now) return
    this.#live.power.now = undefined
    this.#told = undefined
    this.#foreseen = undefined
    this.#cap = new PowerCap()
  }

  #foresee(view: PlantView): void {
    const events = JSON.stringify(view.limits)
    if (this.#foreseen?.events === events && view.now_ms - this.#foreseen.at_ms < foreseeEvery_ms) return
    this.#foreseen = { at_ms: view.now_ms, events }
    this.#later = this.#cap.foresee(view)
  }

  /** Figures change each second; what is obeyed, who waits and what is wrong does not. */
  #keep(body: DecisionBody, view: PlantView): void {
    const { settings, held, alarms, later, limits } = body
    const kinds = alarms.map((alarm) => [alarm.kind, nameOf(alarm)])
    const told = JSON.stringify([
      settings,
      held,
      later,
      kinds,
      limits.map(({ name, limit, binds }) => [name, limit, binds]),
    ])
    if (told === this.#told) return
    keepDecision(this.#factory.store, body, view)
    this.#told = told
    void this.#live.gateways.publish(1)
  }

  #alarm({ alarms, at_ms }: CapDecision): void {
    const now = new Map(alarms.map((alarm) => [`${alarm.kind}/${nameOf(alarm)}`, alarm]))
    for (const key of [...this.#alarms.keys()]) if (!now.has(key)) this.#alarms.delete(key)
    for (const [key, alarm] of now) {
      const since_ms = this.#alarms.get(key) ?? at_ms
      this.#alarms.set(key, since_ms)
      if (at_ms - since_ms < alarmAfter_ms) continue
      const data = {
        kind: alarm.kind,
        of: nameOf(alarm),
        watts: Math.round(alarm.watts),
        since: new Date(since_ms).toISOString(),
      }
      notice(this.#factory.store, `power/${key}/${since_ms}`, 'power.alarm', data, at_ms)
    }
  }

  async #askBoards(limits: readonly LimitRecord[]): Promise<void> {
    if (!limits.some(({ devices }) => devices)) {
      this.#boards = new Map()
      return
    }
    const now_ms = this.#factory.now()
    if (now_ms - this.#asked_ms < boardsEvery_ms) return
    this.#asked_ms = now_ms
    this.#boards = new Map((await boardLimits()).map((board) => [board.uuid, board]))
  }

  /** A load's watts are its boards' in equal parts. */
  async #hold({ settings }: CapDecision): Promise<void> {
    const wanted = new Map<string, number>()
    for (const { engines, power } of settings) {
      const uuids = boardsUnder(this.#factory.store, [...engines.keys()])
      if (power !== null) for (const uuid of uuids) wanted.set(uuid, Math.floor(power / uuids.length))
    }
    for (const [uuid, board] of this.#boards) {
      const power_w = wanted.get(uuid) ?? (this.#held.has(uuid) ? board.usual_w : board.now_w)
      if (power_w === board.now_w) continue
      await this.#set(uuid, power_w)
      if (wanted.has(uuid)) this.#held.add(uuid)
      else this.#held.delete(uuid)
    }
  }

  /** No limit holds devices any more: those that were held by us are as they were. */
  async #letGo(): Promise<void> {
    for (const uuid of [...this.#held]) {
      const board = (await boardLimits()).find((one) => one.uuid === uuid)
      if (board) await this.#set(uuid, board.usual_w)
      this.#held.delete(uuid)
    }
  }

  async #set(uuid: string, power_w: number): Promise<void> {
    this.#asked_ms = 0
    const trouble = await limitBoard(uuid, power_w)
    if (trouble) this.#factory.log(`power: ${uuid} did not take ${power_w} W: ${trouble}`)
  }
}

const nameOf = (alarm: CapDecision['alarms'][number]): string => ('load' in alarm ? alarm.load : alarm.limit)

function demandsOf({ gateways }: Live): Demand[] {
  const told = gateways.list().flatMap(({ demands }) => demands ?? [])
  return [...Map.groupBy(told, ({ model, slo }) => `${slo} ${model}`).values()].flatMap((same) => {
    const [first] = same
    const requests = same.reduce((sum, one) => sum + one.requests, 0)
    const worth = same.reduce((sum, one) => sum + one.worth * one.requests, 0) / Math.max(1, requests)
    return first ? [{ model: first.model, slo: first.slo, requests, worth }] : []
  })
}
