/**
 * Who holds the power of a scenario under its limit: sees the meters late and not quite right, decides by the policy that runs
 * live, and is obeyed after a while. What was really drawn is kept for the report, and is nothing that the policy sees.
 */

import { costOf } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import type { CloseRow } from '../../books/row.ts'
import type { SloClass } from '../../books/slo-class.ts'
import { type PlantView, PowerCap } from '../../control/cap/cap.ts'
import type { CapDecision, Foreseen } from '../../control/cap/decision.ts'
import { Earnings } from '../../control/cap/earnings.ts'
import type { PowerLimit } from '../../control/cap/limit.ts'
import type { Demand, Load } from '../../control/cap/load.ts'
import { pointsOf } from '../../control/cap/settings.ts'
import type { SetPoints } from '../../lines/inference/set-points.ts'

import type { Watts } from '../../units/quantity.ts'
import { watts } from '../../units/quantity.ts'
import type { Kernel } from '../kernel.ts'
import { order } from '../kernel.ts'
import type { Random } from '../random.ts'
import type { Fault, PowerPlan, Scenario } from '../scenario.ts'
import { holds, type PowerReport, type PowerSecond } from './power-report.ts'
import type { Station } from './station.ts'

/** A way to hold power: the live one, or another to compare it with. */
export interface CapPolicy {
  decide(view: PlantView): CapDecision | undefined
  /** For when nobody decides; absent: nothing. */
  foresee?(view: PlantView): Foreseen[]
}

export interface CapPorts {
  readonly kernel: Kernel
  readonly scenario: Scenario
  readonly power: PowerPlan
  readonly stations: readonly Station[]
  readonly random: Random
  readonly policyOf: (() => CapPolicy) | undefined
  /** Requests that are not over, by model and class. */
  demands(): Iterable<{ readonly model: string; readonly slo: SloClass; readonly requests: number }>
  obey(points: SetPoints): void
  onDecision?: ((decision: CapDecision) => void) | undefined
}

/** Readings and decisions come once a second. */
export const capLook_ns = 1e9

/** What comes is looked at so often. */
const foreseeEvery_ms = 30_000

/** A replica, its meter as it is seen, and its device. */
interface Seen {
  readonly station: Station
  readonly device: { least_w: number; most_w: number } | undefined
  drawn_j: number
  /** Readings that are not seen yet. */
  readonly late: { readonly power: Watts; readonly at_ms: number; readonly seen_ns: number }[]
  reading: Load['reading']
  limit_w: number
}

export class TwinCap {
  readonly #ports: CapPorts
  readonly #limit: PowerLimit
  readonly #seen: readonly Seen[]
  readonly #earnings = new Earnings()
  readonly #seconds: PowerSecond[] = []
  #policy: CapPolicy
  #told = ''
  #later: SetPoints['later'] = []
  #foreseen_ms = Number.NEGATIVE_INFINITY

  constructor(ports: CapPorts) {
    const { power, scenario, stations } = ports
    this.#ports = ports
    this.#policy = this.#newPolicy()
    const devices = scenario.pools.flatMap(({ replicas, device }) => Array.from({ length: replicas }, () => device))
    this.#seen = stations.map((station, at) => {
      const device = devices[at]
      return {
        station,
        device,
        drawn_j: 0,
        late: [],
        reading: null,
        limit_w: device?.most_w ?? Number.POSITIVE_INFINITY,
      }
    })
    const ms = (s: number): number => scenario.start_ms + Math.round(s * 1000)
    this.#limit = {
      name: 'site',
      limit: watts(power.limit_w),
      engines: null,
      other: watts(power.other_w),
      events: power.events.map(({ at_s, for_s, limit_w }, at) => ({
        id: `event ${at + 1}`,
        limit: watts(limit_w),
        from_ms: ms(at_s),
        until_ms: ms(at_s + for_s),
      })),
    }
  }

  /** A request is over, and was charged so much. */
  settled(row: CloseRow, slo: SloClass, price: PriceVersion | undefined): void {
    const charged = Number(costOf(row, price))
    this.#earnings.learn(row.model, slo, charged, (row.closed_ms - row.at_ms) / 1000)
  }

  /** Each second: the meters; what they show is decided on, unless nobody is there to. */
  look(): void {
    this.#meter()
    if (this.#happens('operator')) {
      this.#policy = this.#newPolicy()
      return
    }
    const view = this.#view()
    const decision = this.#policy.decide(view)
    if (!decision) return
    this.#ports.onDecision?.(decision)
    this.#foresee(view)
    this.#publish(decision)
  }

  report(): PowerReport {
    return holds(this.#seconds, this.#limit)
  }

  #newPolicy(): CapPolicy {
    return this.#ports.policyOf?.() ?? new PowerCap()
  }

  #meter(): void {
    const { kernel, power, random } = this.#ports
    let all_w = power.other_w
    for (const seen of this.#seen) {
      const { energy_j } = seen.station.engine.reading()
      const drawn_w = ((energy_j - seen.drawn_j) * 1e9) / capLook_ns
      seen.drawn_j = energy_j
      if (kernel.now_ns === 0) continue
      all_w += drawn_w
      const read_w = Math.max(0, drawn_w * (1 + power.meter.noise * random.normal()))
      const at_ms = this.#now_ms
      const seen_ns = kernel.now_ns + power.meter.lag_s * 1e9
      if (!this.#happens('silent', seen.station)) seen.late.push({ power: watts(read_w), at_ms, seen_ns })
      while (seen.late[0] && seen.late[0].seen_ns <= kernel.now_ns) seen.reading = seen.late.shift() ?? null
    }
    if (kernel.now_ns > 0) this.#seconds.push({ at_ms: this.#now_ms, power: watts(all_w) })
  }

  #view(): PlantView {
    const { power } = this.#ports
    const limit = {
      ...this.#limit,
      events: this.#limit.events.filter(
        ({ from_ms }, at) => from_ms - 1000 * (power.events[at]?.notice_s ?? 0) <= this.#now_ms,
      ),
    }
    const demands: Demand[] = [...this.#ports.demands()].map((asked) => ({
      ...asked,
      worth: this.#earnings.lostBy(asked.model, asked.slo),
    }))
    return { now_ms: this.#now_ms, limits: [limit], loads: this.#seen.map((seen) => this.#loadOf(seen)), demands }
  }

  #loadOf({ station, device, reading, limit_w }: Seen): Load {
    const { replica, cost, engine } = station
    const { running, waiting } = engine.load
    return {
      name: replica.id,
      engines: [
        {
          name: replica.id,
          models: Object.keys(replica.models),
          concurrency: replica.concurrency * this.#ports.scenario.gateways,
          running: running + waiting,
        },
      ],
      idle: watts(cost.idle_w),
      full: watts(cost.full_w),
      reading,
      // A reading is seen so late as a rule: that is no silence.
      period_ms: 1000 * (1 + this.#ports.power.meter.lag_s),
      limiter: device ? { least: watts(device.least_w), most: watts(device.most_w), confirmed: watts(limit_w) } : null,
    }
  }

  #foresee(view: PlantView): void {
    if (view.now_ms - this.#foreseen_ms < foreseeEvery_ms) return
    this.#foreseen_ms = view.now_ms
    this.#later = (this.#policy.foresee?.(view) ?? []).map((one) => ({ ...one, ...pointsOf(one) }))
  }

  #publish(decision: CapDecision): void {
    const { kernel, power, obey } = this.#ports
    const points = { ...pointsOf(decision), at_ms: this.#now_ms, later: this.#later }
    const told = JSON.stringify([[...points.concurrency], [...points.held], this.#foreseen_ms])
    if (told !== this.#told) {
      this.#told = told
      kernel.schedule(kernel.now_ns + Math.round(power.publish_s * 1e9), order.arrives, () => obey(points))
    }
    const asked = new Map(decision.settings.map(({ load, power: limit }) => [load, limit]))
    for (const seen of this.#seen) {
      if (!seen.device) continue
      const limit_w = asked.get(seen.station.replica.id) ?? seen.device.most_w
      if (limit_w === seen.limit_w || this.#happens('deaf', seen.station)) continue
      kernel.schedule(kernel.now_ns + Math.round(power.confirm_s * 1e9), order.arrives, () => {
        seen.limit_w = limit_w
        seen.station.engine.limitPower(limit_w)
      })
    }
  }

  #happens(kind: Fault['kind'], station?: Station): boolean {
    const now_s = this.#ports.kernel.now_ns / 1e9
    return this.#ports.scenario.faults.some(
      (fault) =>
        fault.kind === kind &&
        ('replica' in fault ? fault.replica === station?.replica.id : true) &&
        fault.at_s <= now_s &&
        now_s < fault.at_s + fault.for_s,
    )
  }

  get #now_ms(): number {
    return this.#ports.scenario.start_ms + Math.round(this.#ports.kernel.now_ns / 1e6)
  }
}
