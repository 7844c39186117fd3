import type { PriceVersion } from '../books/price.ts'
import type { Row } from '../books/row.ts'
import type { SloClass } from '../books/slo-class.ts'
import type { CapDecision } from '../control/cap/decision.ts'
import type { Ending } from '../lines/inference/flow.ts'
import { rules } from '../lines/inference/routing.ts'
import type { SetPoints } from '../lines/inference/set-points.ts'
import type { Grant, Snapshot } from '../lines/inference/snapshot.ts'
import type { StepReport } from '../plant/infrastructure/step.ts'
import { assert } from '../units/assert.ts'
import type { ModelId, ReplicaId } from '../units/ids.ts'
import { id } from '../units/ids.ts'
import type { Seconds } from '../units/quantity.ts'
import { seconds, tokens } from '../units/quantity.ts'
import type { Running } from './factory/attempt.ts'
import { TwinBooks } from './factory/books.ts'
import { type CapPolicy, capLook_ns, TwinCap } from './factory/cap.ts'
import { StationEnergy } from './factory/energy.ts'
import { buildFleet } from './factory/fleet.ts'
import { TwinGateway } from './factory/gateway.ts'
import { livePolicyUnder, type PolicyOf, type TriedPolicy } from './factory/policy.ts'
import type { Station } from './factory/station.ts'
import { Kernel, order } from './kernel.ts'
import { type Random, randomFrom } from './random.ts'
import { type Report, Tally } from './report.ts'
import type { PowerPlan, Scenario } from './scenario.ts'
import type { Traced } from './workload/mooncake.ts'
import type { Request } from './workload/request.ts'
import { requestsOf, synthetic } from './workload/requests.ts'

/** What a run may be given besides its scenario. */
export interface RunOptions {
  /** How power is held, where the scenario limits it; as it is live, unless told otherwise. */
  readonly capPolicyOf?: () => CapPolicy
  readonly onCap?: (decision: CapDecision) => void
  /** The policy to try; the live one under the scenario's rule of routing, unless told otherwise. */
  readonly policyOf?: PolicyOf
  /** Hears of every row in the moment in which it is durable. */
  readonly onRow?: (row: Row) => void
  /** Hears of every step of every engine, as an engine would log it. */
  readonly onStep?: (report: StepReport, replica: ReplicaId) => void
  /** Hears at every look at the meters what each replica has drawn since the start. */
  readonly onMeter?: (replica: ReplicaId, drawn_j: number, at_ms: number) => void
  /** From time to time: how far it is. */
  readonly onLook?: (far: { readonly simulated_s: number; readonly asked: number }) => void
}

/**
 * Runs a scenario to its end: every request is settled, and the books add up. Same scenario, trace and seed, same report, to
 * the bit.
 *
 * `traced` are the requests of the trace that the scenario names; a synthetic workload needs none.
 */
export function runTwin(scenario: Scenario, traced: Iterable<Traced> = [], options: RunOptions = {}): Report {
  return new TwinRun(scenario, traced, options).run()
}

/** From one gateway by way of the launcher to another: two times a message between processes, and its turn in the queue. */
const wordTakes_ns = 2e6

/** One run of a scenario, and the books that it leaves. */
export class TwinRun {
  readonly books: TwinBooks
  readonly prices: readonly PriceVersion[]
  readonly #scenario: Scenario
  readonly #kernel = new Kernel()
  readonly #stations: readonly Station[]
  readonly #gateways: readonly TwinGateway[]
  readonly #tally: Tally
  readonly #energy: readonly StationEnergy[]
  readonly #requests: Iterator<Request>
  readonly #asks: readonly Grant[]
  readonly #whose: Random
  readonly #snapshot: Snapshot
  readonly #cap: TwinCap | undefined
  /** Requests that are not over, by model and class. */
  readonly #demands = new Map<string, { readonly model: string; readonly slo: SloClass; requests: number }>()
  readonly #onLook: RunOptions['onLook']
  readonly #onMeter: RunOptions['onMeter']
  #next: Request | undefined
  #asked = 0
  /** Requests that are not over. */
  #under = 0
  #peak_w = 0

  constructor(scenario: Scenario, traced: Iterable<Traced>, options: RunOptions = {}) {
    const { policyOf = livePolicyUnder(rules[scenario.routing]), onRow, onStep, onMeter, onLook } = options
    this.#onLook = onLook
    this.#onMeter = onMeter
    this.#scenario = scenario
    const fleet = buildFleet(scenario, this.#kernel)
    this.#stations = fleet.stations
    this.#snapshot = fleet.snapshot
    this.prices = fleet.snapshot.prices
    this.books = new TwinBooks(this.prices)
    this.#tally = new Tally(scenario)
    this.#energy = fleet.stations.map((station) => new StationEnergy(station))
    this.#asks = [...fleet.snapshot.grants.values()]
    const byId = new Map(fleet.stations.map((station) => [station.replica.id, station]))
    const policies = Array.from({ length: scenario.gateways }, () => policyOf(scenario.bounds))
    this.#gateways = policies.map((policy, at) => {
      return new TwinGateway({
        kernel: this.#kernel,
        incarnation: id(`g${at}`),
        start_s: scenario.start_ms / 1000,
        policy,
        snapshot: () => this.#snapshot,
        station: (replica) => byId.get(replica),
        deadline_ns: Math.round(scenario.deadline_s * 1e9),
        commit_ns: Math.round(scenario.commit_ms * 1e6),
        durable: (row: Row) => {
          this.books.row(row)
          onRow?.(row)
        },
        over: (running: Running, ending: Ending) => {
          this.#under--
          this.#over(running)
          this.#tally.over(running, ending, this.#kernel.now_ns)
        },
      })
    })
    if (onStep) for (const station of fleet.stations) station.onStep = (report) => onStep(report, station.replica.id)
    for (const station of fleet.stations)
      station.onHealth((up) => {
        for (const policy of policies) policy.hear(station.replica.id, up)
      })
    const random = randomFrom(scenario.seed)
    this.#cap = scenario.power && this.#capOf(scenario.power, policies, random('meters'), options)
    const { workload } = scenario
    const source = workload.kind === 'trace' ? traced : synthetic(workload, scenario.start_ms / 1000, random)
    this.#whose = random('gateways')
    const speed = workload.kind === 'trace' ? workload.speed : 1
    this.#requests = requestsOf(source, speed, workload.requests, scenario.clients, random)
  }

  run(): Report {
    for (const station of this.#stations) station.engine.start(0) // a factory that serves already
    for (const fault of this.#scenario.faults) this.#plan(fault)
    this.#ahead()
    this.#look()
    if (this.#cap) this.#hold()
    if (this.#scenario.tell_ms > 0 && this.#gateways.length > 1) this.#tell()
    // What would come later, such as the end of a fault, concerns nobody any more.
    while (!this.#isOver && this.#kernel.step());
    return this.#report()
  }

  /** One request ahead: the heap holds what is under way, not the whole trace. */
  #ahead(): void {
    const next = this.#requests.next()
    this.#next = next.done ? undefined : next.value
    if (this.#next) this.#kernel.schedule(Math.max(this.#kernel.now_ns, this.#next.at_ns), order.arrives, this.#arrives)
  }

  readonly #arrives = (): void => {
    const request = this.#next
    if (!request) return
    this.#ahead()
    const grant = this.#asks[request.client]
    const gateway = this.#gateways[this.#takes()]
    this.#asked++
    assert(grant && gateway, 'a request has a client and a gateway')
    this.#under++
    this.#tally.asked(request, grant.slo)
    this.#count(this.#scenario.clients[request.client]?.model ?? '', grant.slo, 1)
    gateway.ask(request, {
      grant,
      model: id<ModelId>(this.#scenario.clients[request.client]?.model ?? ''),
      promptEstimate: tokens(request.prompt.tokens),
      maxOutput: request.limit === undefined ? undefined : tokens(request.limit),
      ...(request.prompt.pieces.length > 0 && {
        beginnings: { blocks: request.prompt.pieces, tokens: request.prompt.pieceTokens },
      }),
      stream: true,
      slo: grant.slo,
      clientRetry: 0,
    })
  }

  #takes(): number {
    const { length } = this.#gateways
    return this.#scenario.taken === 'turns' ? this.#asked % length : this.#whose.whole(0, length - 1)
  }

  #capOf(
    power: PowerPlan,
    policies: readonly TriedPolicy[],
    random: Random,
    { capPolicyOf: policyOf, onCap: onDecision }: RunOptions,
  ): TwinCap {
    const obey = (points: SetPoints): void => {
      for (const policy of policies) policy.obey?.(points)
    }
    const demands = () => [...this.#demands.values()].filter(({ requests }) => requests > 0)
    const [kernel, scenario, stations] = [this.#kernel, this.#scenario, this.#stations]
    return new TwinCap({ kernel, scenario, power, stations, random, policyOf, demands, obey, onDecision })
  }

  readonly #hold = (): void => {
    this.#cap?.look()
    if (!this.#isOver) this.#kernel.schedule(this.#kernel.now_ns + capLook_ns, order.ends, this.#hold)
  }

  #count(model: string, slo: SloClass, requests: number): void {
    const key = `${slo} ${model}`
    const demand = this.#demands.get(key)
    if (demand) demand.requests += requests
    else this.#demands.set(key, { model, slo, requests })
  }

  #over({ flow: { ask, closing } }: Running): void {
    this.#count(ask.model, ask.slo, -1)
    const price = closing && this.prices.find(({ version }) => version === closing.price_version)
    if (closing) this.#cap?.settled(closing, ask.slo, price)
  }

  #plan(fault: Scenario['faults'][number]): void {
    if (fault.kind !== 'crash' && fault.kind !== 'slow') return // they are looked for by who holds the power
    const station = this.#stations.find(({ replica }) => replica.id === fault.replica)
    assert(station, `a fault names a replica that is there: ${fault.replica}`)
    const at_ns = Math.round(fault.at_s * 1e9)
    const for_ns = Math.round(fault.for_s * 1e9)
    if (fault.kind === 'crash') this.#kernel.schedule(at_ns, order.arrives, () => station.crash(for_ns))
    else {
      this.#kernel.schedule(at_ns, order.arrives, () => station.engine.slow(fault.factor))
      this.#kernel.schedule(at_ns + for_ns, order.arrives, () => station.engine.slow(1))
    }
  }

  get #isOver(): boolean {
    return this.#next === undefined && this.#under === 0 && this.#stations.every(({ engine }) => engine.isIdle)
  }

  /** The meters, from time to time, as long as there is something to meter. */
  readonly #look = (): void => {
    let watts = 0
    for (const energy of this.#energy) watts += energy.look(this.#kernel.now_ns)
    this.#tellMeters()
    this.#peak_w = Math.max(this.#peak_w, watts)
    this.#onLook?.({ simulated_s: this.#kernel.now_ns / 1e9, asked: this.#asked })
    const { meter_s } = this.#scenario.energy
    if (!this.#isOver) this.#kernel.schedule(this.#kernel.now_ns + Math.round(meter_s * 1e9), order.ends, this.#look)
  }

  /** Gateways tell each other what they have under way and what they sent; it is heard a little later. */
  readonly #tell = (): void => {
    const words = this.#gateways.map(({ policy }) => policy.tell?.(this.#now))
    this.#kernel.schedule(this.#kernel.now_ns + wordTakes_ns, order.arrives, () => {
      for (const [from, word] of words.entries())
        for (const [to, { policy }] of this.#gateways.entries())
          if (word && from !== to) policy.heard?.(`g${from}`, word, this.#now)
    })
    if (!this.#isOver) this.#kernel.schedule(this.#kernel.now_ns + this.#scenario.tell_ms * 1e6, order.ends, this.#tell)
  }

  get #now(): Seconds {
    return seconds((this.#scenario.start_ms + this.#kernel.now_ns / 1e6) / 1000)
  }

  #tellMeters(): void {
    if (!this.#onMeter) return
    const at_ms = this.#scenario.start_ms + Math.round(this.#kernel.now_ns / 1e6)
    for (const [at, { replica }] of this.#stations.entries())
      this.#onMeter(replica.id, this.#energy[at]?.total_j ?? 0, at_ms)
  }

  #report(): Report {
    const at_ms = this.#scenario.start_ms + Math.round(this.#kernel.now_ns / 1e6)
    this.#energy.forEach((energy, at) => {
      energy.look(this.#kernel.now_ns)
      this.books.post(energy.post(this.#stations[at]?.replica.id ?? '', at_ms))
    })
    assert(this.#isOver, 'every request is over')
    return this.#tally.report({
      kernel: this.#kernel,
      stations: this.#stations,
      energy: this.#energy,
      books: this.books,
      peak_w: this.#peak_w,
      power: this.#cap?.report(),
    })
  }
}
