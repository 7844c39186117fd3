import type { StepCost } from '../../plant/models/step-cost.ts'
import { assert } from '../../units/assert.ts'
import type { Kernel, Ticket } from '../kernel.ts'
import { order } from '../kernel.ts'
import { Flight } from './flight.ts'
import { tell } from './leap.ts'
import type { Sequence } from './sequence.ts'
import type { Heard, Scheduler, Step } from './step.ts'

/** How an engine runs its loop. */
export interface LoopConfig {
  /** Steps under way at once: 2 with asynchronous scheduling, where one is composed while the one before it runs; else 1. */
  readonly depth: 1 | 2
  /** Host time of each step that the chips wait for. */
  readonly host_ns: number
  /** The first step of its life waits so long for kernels to be compiled and graphs to be captured. */
  readonly warmUp_ns: number
  /** From its start, or restart, to its first step. */
  readonly coldStart_ns: number
  /** Off: one event for each step, to be compared with. */
  readonly leaps: boolean
}

export const loopDefaults: LoopConfig = { depth: 2, host_ns: 0, warmUp_ns: 0, coldStart_ns: 0, leaps: true }

/**
 * A simulated engine: the loop around one scheduler a rank. Requests enter between steps; the chips run one step after the
 * other; a step's tokens are known when it ends.
 *
 * As long as nothing changes in the batch but one more token for each sequence, steps are not events: the engine finds the
 * step at which something will change and *leaps* there. Whatever comes between (a request, a cancel, a look at the meter)
 * finds it in the very state that one event a step would have brought.
 */
export class Engine {
  readonly #kernel: Kernel
  readonly #ranks: readonly Scheduler[]
  readonly #cost: StepCost
  readonly #config: LoopConfig
  readonly #heard: EngineHeard
  /** In the order in which the chips run them. */
  readonly #under: Flight[] = []
  readonly #spare: Flight[] = []
  /** What came since the last composition. */
  #arrived: Sequence[] = []
  #leaving: Sequence[] = []
  #end: Ticket | undefined
  #composing: Ticket | undefined
  /** Steps that will be composed just like those under way, before the one whose end is scheduled. */
  #leap = 0
  #isWarm = false
  #slowness = 1
  /** Until then its host does nothing else. */
  #busyUntil_ns = 0
  #state: EngineState = 'down'
  /** Counts its crashes: what was scheduled in an earlier life does not happen. */
  #life = 0
  /** Of the steps that are over. */
  #steps = 0
  #stepEnergy_j = 0
  #stepTime_ns = 0
  #since_ns: number

  constructor(kernel: Kernel, ranks: readonly Scheduler[], cost: StepCost, config: LoopConfig, heard: EngineHeard) {
    this.#kernel = kernel
    this.#ranks = ranks
    this.#cost = cost
    this.#config = config
    this.#heard = heard
    this.#since_ns = kernel.now_ns
  }

  get state(): EngineState {
    return this.#state
  }

  get load(): { readonly waiting: number; readonly running: number } {
    let [waiting, running] = [this.#arrived.length, 0]
    for (const { load } of this.#ranks) {
      waiting += load.waiting
      running += load.running
    }
    return { waiting, running }
  }

  /** Loads its weights; → `ready` after the cold start, or sooner where it was begun before the run. */
  start(after_ns = this.#config.coldStart_ns): void {
    if (this.#state !== 'down') return
    this.#state = 'starting'
    this.#kernel.schedule(this.#kernel.now_ns + after_ns, order.ends, this.#started, this.#life)
  }

  submit(sequence: Sequence): void {
    sequence.arrived_ns = this.#kernel.now_ns
    if (this.#state !== 'up') {
      sequence.state = 'over'
      this.#kernel.schedule(this.#kernel.now_ns, order.arrives, () => this.#heard.failed(sequence, 'unreachable'))
      return
    }
    this.#arrived.push(sequence)
    this.#attend()
  }

  /** It leaves at the next composition; → `ended`, with the tokens it has got by then. */
  cancel(sequence: Sequence): void {
    if (sequence.isOver || this.#state !== 'up') return
    this.#leaving.push(sequence)
    this.#attend()
  }

  /** Steps that begin from now on take so much longer. */
  slow(factor: number): void {
    this.#slowness = factor
    this.#attend()
  }

  /** All that it works on fails, and its cache is gone. It stays down until it is started. */
  crash(): void {
    if (this.#state === 'down') return
    this.#pass(this.#endedBefore(this.#kernel.now_ns + 1)) // time is whole nanoseconds
    const running = this.#under[0]
    if (running) {
      const share = this.#shareOf(running)
      this.#stepEnergy_j += share * running.energy_j
      this.#stepTime_ns += share * running.took_ns
    }
    for (const ticket of [this.#end, this.#composing]) if (ticket !== undefined) this.#kernel.cancel(ticket)
    this.#end = this.#composing = undefined
    this.#spare.push(...this.#under.splice(0))
    this.#leap = 0
    this.#state = 'down'
    this.#life++
    this.#isWarm = false
    const lost = [...this.#ranks.flatMap((rank) => rank.crash()), ...this.#arrived.splice(0)]
    this.#leaving = []
    for (const sequence of lost) {
      sequence.state = 'over'
      tell(sequence, this.#heard)
      this.#heard.failed(sequence, 'crashed')
    }
  }

  /** Cumulative, as a meter on its chips would count: the step under way by the part of it that has passed. */
  reading(): Reading {
    this.#pass(this.#endedBefore(this.#kernel.now_ns + 1)) // time is whole nanoseconds
    const running = this.#under[0]
    const share = running ? this.#shareOf(running) : 0
    const busy_ns = this.#stepTime_ns + share * (running?.took_ns ?? 0)
    const stepping_j = this.#stepEnergy_j + share * (running?.energy_j ?? 0)
    const idle_s = (this.#kernel.now_ns - this.#since_ns - busy_ns) / 1e9
    return { energy_j: stepping_j + this.#cost.idle_w * idle_s, busy_s: busy_ns / 1e9, steps: this.#steps }
  }

  readonly #started = (life: number): void => {
    if (life !== this.#life || this.#state !== 'starting') return
    this.#state = 'up'
    this.#heard.ready()
  }

  /** Something came: it is looked at when the running step ends, or at once when there is none. */
  #attend(): void {
    if (this.#state !== 'up') return
    if (this.#under.length === 0) return this.#composeSoon(this.#kernel.now_ns)
    if (this.#leap === 0) return
    this.#leap = this.#endedBefore(this.#kernel.now_ns)
    this.#awaitEnd()
  }

  readonly #stepEnds = (): void => {
    this.#end = undefined
    this.#pass(this.#leap)
    const flight = this.#under.shift()
    assert(flight, 'a step that ends was under way')
    this.#count(flight.took_ns, flight.energy_j)
    this.#heard.stepped?.(flight, 1)
    flight.steps.forEach((step, rank) => {
      this.#ranks[rank]?.apply(step, this.#kernel.now_ns, this.#heard)
    })
    this.#spare.push(flight)
    if (this.#kernel.isBefore(order.composes)) this.#composeSoon(this.#kernel.now_ns)
    else this.#compose()
  }

  #composeSoon(at_ns: number): void {
    this.#composing ??= this.#kernel.schedule(Math.max(at_ns, this.#busyUntil_ns), order.composes, this.#compose)
  }

  readonly #compose = (): void => {
    this.#composing = undefined
    const now_ns = this.#kernel.now_ns
    if (now_ns < this.#busyUntil_ns) return this.#composeSoon(now_ns)
    this.#takeIn(now_ns)
    while (this.#under.length < this.#config.depth && this.#submitStep(now_ns)) {
      if (this.#isWarm) continue
      this.#isWarm = true
      if (this.#config.warmUp_ns === 0) continue
      this.#busyUntil_ns = now_ns + this.#config.warmUp_ns
      this.#composeSoon(now_ns)
      break
    }
    this.#leap = this.#composing === undefined ? this.#steady() : 0
    this.#awaitEnd()
  }

  /** Requests come in, cancelled ones go. */
  #takeIn(now_ns: number): void {
    for (const sequence of this.#arrived) {
      if (sequence.isOver) continue
      const rank = this.#leastLoaded()
      sequence.rank = this.#ranks.indexOf(rank)
      if (rank.accepts(sequence)) rank.queue(sequence, now_ns)
      else {
        sequence.state = 'over'
        this.#heard.failed(sequence, 'context_length')
      }
    }
    this.#arrived.length = 0
    for (const sequence of this.#leaving) {
      if (sequence.isOver) continue
      tell(sequence, this.#heard)
      this.#ranks[sequence.rank]?.abort(sequence)
      this.#heard.ended(sequence)
    }
    this.#leaving.length = 0
  }

  /** vLLM's front end counts a waiting request four times. */
  #leastLoaded(): Scheduler {
    const weight = ({ load }: Scheduler): number => 4 * load.waiting + load.running
    return this.#ranks.reduce((least, one) => (weight(one) < weight(least) ? one : least))
  }

  #submitStep(now_ns: number): boolean {
    const flight = this.#spare.pop() ?? new Flight(this.#ranks.length, this.#cost)
    let any = false
    for (let rank = 0; rank < this.#ranks.length; rank++) {
      const step = flight.steps[rank] as Step
      step.clear()
      if (this.#ranks[rank]?.compose(step, now_ns, this.#heard)) any = true
    }
    if (!any) {
      this.#spare.push(flight)
      return false
    }
    flight.weigh(this.#config.host_ns, this.#slowness)
    const before = this.#under.at(-1)
    const free_ns = before?.end_ns ?? now_ns + (this.#isWarm ? 0 : this.#config.warmUp_ns)
    flight.end_ns = Math.max(now_ns, free_ns) + flight.took_ns
    this.#under.push(flight)
    return true
  }

  #steady(): number {
    if (!this.#config.leaps || this.#under.length < this.#config.depth) return 0
    if (this.#arrived.length + this.#leaving.length > 0) return 0 // who came while others were told that they are over
    // The steps that follow would not be as slow, or slow, as those under way.
    if (this.#under.some(({ slowness }) => slowness !== this.#slowness)) return 0
    let steps = Number.POSITIVE_INFINITY
    for (let rank = 0; rank < this.#ranks.length && steps > 0; rank++) {
      const { running, waiting } = (this.#ranks[rank] as Scheduler).load
      if (running + waiting === 0 && this.#under.every((one) => one.steps[rank]?.size === 0)) continue
      steps = Math.min(steps, this.#ranks[rank]?.steady(this.#under.map((one) => one.steps[rank] as Step)) ?? 0)
    }
    return steps < Number.POSITIVE_INFINITY ? steps : 0
  }

  #awaitEnd(): void {
    if (this.#end !== undefined) this.#kernel.cancel(this.#end)
    const first = this.#under[0]
    this.#end = first && this.#kernel.schedule(this.#endAfter(this.#leap), order.ends, this.#stepEnds)
  }

  /** The end of the step that comes so many steps after the running one, in a leap. */
  #endAfter(steps: number): number {
    const running = this.#under[0] as Flight
    let end_ns = running.end_ns
    for (let step = 1; step <= steps; step++) end_ns += running.tookAfter(step)
    return end_ns
  }

  /** Steps of the leap that end before `time_ns`. */
  #endedBefore(time_ns: number): number {
    const running = this.#under[0]
    if (!running) return 0
    let steps = 0
    for (let end_ns = running.end_ns; steps < this.#leap && end_ns < time_ns; ) end_ns += running.tookAfter(++steps)
    return steps
  }

  /** The first steps of a leap are over: what follows them is now under way. */
  #pass(steps: number): void {
    const [running, next] = this.#under
    if (steps === 0 || !running) return
    let end_ns = running.end_ns
    this.#heard.stepped?.(running, steps)
    for (let step = 0, took_ns = running.took_ns; step < steps; step++) {
      this.#count(took_ns, running.energyAfter(step, took_ns))
      took_ns = running.tookAfter(step + 1)
      end_ns += took_ns
    }
    running.advance(steps, end_ns)
    next?.advance(steps, end_ns + running.tookAfter(1))
    this.#ranks.forEach((rank, at) => {
      if (running.steps[at]?.size) rank.leap(steps)
    })
    this.#leap -= steps
  }

  #count(took_ns: number, energy_j: number): void {
    this.#steps++
    this.#stepEnergy_j += energy_j
    this.#stepTime_ns += took_ns
  }

  #shareOf({ end_ns, took_ns }: Flight): number {
    return took_ns === 0 ? 0 : Math.min(1, Math.max(0, 1 - (end_ns - this.#kernel.now_ns) / took_ns))
  }
}

export type EngineState = 'down' | 'starting' | 'up'

export interface EngineHeard extends Heard {
  ready(): void
  /** Steps are over: `count` of the same batch, each with one more token of context than the one before. */
  stepped?(flight: Flight, count: number): void
}

/** What its meters show. */
export interface Reading {
  readonly energy_j: number
  readonly busy_s: number
  readonly steps: number
}
