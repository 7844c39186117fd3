import type { StepCost } from '../../plant/models/step-cost.ts'
import type { Kernel, Ticket } from '../kernel.ts'
import { order } from '../kernel.ts'
import type { Flight } from './flight.ts'
import { tell } from './leap.ts'
import type { Sequence } from './sequence.ts'
import type { Heard, Scheduler, Step } from './step.ts'
import { type Reading, UnderWay } from './under-way.ts'

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
  readonly #config: LoopConfig
  readonly #heard: EngineHeard
  readonly #under: UnderWay
  /** What came since the last composition. */
  #arrived: Sequence[] = []
  #leaving: Sequence[] = []
  #end: Ticket | undefined
  #composing: Ticket | undefined
  #isWarm = false
  #slowness = 1
  #limit_w = Number.POSITIVE_INFINITY
  /** Until then its host does nothing else. */
  #busyUntil_ns = 0
  #state: EngineState = 'down'
  /** Counts its crashes: what was scheduled in an earlier life does not happen. */
  #life = 0

  constructor(kernel: Kernel, ranks: readonly Scheduler[], cost: StepCost, config: LoopConfig, heard: EngineHeard) {
    this.#kernel = kernel
    this.#ranks = ranks
    this.#config = config
    this.#heard = heard
    this.#under = new UnderWay(ranks, cost, kernel.now_ns, (flight, count) => heard.stepped?.(flight, count))
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

  /** Nothing is under way, and nothing waits for it. */
  get isIdle(): boolean {
    const { running, waiting } = this.load
    return running + waiting + this.#under.flights.length === 0
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

  /** In steps that begin from now on its chips draw no more, and slow down where they would. */
  limitPower(limit_w: number): void {
    this.#limit_w = limit_w
    this.#attend()
  }

  /** All that it works on fails, and its cache is gone. It stays down until it is started. */
  crash(): void {
    if (this.#state === 'down') return
    this.#under.clear(this.#kernel.now_ns)
    for (const ticket of [this.#end, this.#composing]) if (ticket !== undefined) this.#kernel.cancel(ticket)
    this.#end = this.#composing = undefined
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
    return this.#under.reading(this.#kernel.now_ns)
  }

  readonly #started = (life: number): void => {
    if (life !== this.#life || this.#state !== 'starting') return
    this.#state = 'up'
    this.#heard.ready()
  }

  /** Something came: it is looked at when the running step ends, or at once when there is none. */
  #attend(): void {
    if (this.#state !== 'up') return
    if (this.#under.flights.length === 0) return this.#composeSoon(this.#kernel.now_ns)
    if (this.#under.leap === 0) return
    this.#under.cutAt(this.#kernel.now_ns)
    this.#awaitEnd()
  }

  readonly #stepEnds = (): void => {
    this.#end = undefined
    const flight = this.#under.land()
    flight.steps.forEach((step, rank) => {
      this.#ranks[rank]?.apply(step, this.#kernel.now_ns, this.#heard)
    })
    this.#under.keep(flight)
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
    while (this.#under.flights.length < this.#config.depth && this.#submitStep(now_ns)) {
      if (this.#isWarm) continue
      this.#isWarm = true
      if (this.#config.warmUp_ns === 0) continue
      this.#busyUntil_ns = now_ns + this.#config.warmUp_ns
      this.#composeSoon(now_ns)
      break
    }
    this.#under.leap = this.#composing === undefined ? this.#steady() : 0
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
    const flight = this.#under.spare()
    let any = false
    for (let rank = 0; rank < this.#ranks.length; rank++)
      if (this.#ranks[rank]?.compose(flight.steps[rank] as Step, now_ns, this.#heard)) any = true
    if (!any) {
      this.#under.keep(flight)
      return false
    }
    flight.weigh(this.#config.host_ns, this.#slowness, this.#limit_w)
    this.#under.give(flight, now_ns + (this.#isWarm ? 0 : this.#config.warmUp_ns))
    return true
  }

  #steady(): number {
    const { flights } = this.#under
    if (!this.#config.leaps || flights.length < this.#config.depth) return 0
    if (this.#arrived.length + this.#leaving.length > 0) return 0 // who came while others were told that they are over
    // The steps that follow would not be as slow, or slow, as those under way.
    if (flights.some(({ slowness, limit_w }) => slowness !== this.#slowness || limit_w !== this.#limit_w)) return 0
    let steps = Number.POSITIVE_INFINITY
    for (let rank = 0; rank < this.#ranks.length && steps > 0; rank++) {
      const { running, waiting } = (this.#ranks[rank] as Scheduler).load
      if (running + waiting === 0 && flights.every((one) => one.steps[rank]?.size === 0)) continue
      steps = Math.min(steps, this.#ranks[rank]?.steady(flights.map((one) => one.steps[rank] as Step)) ?? 0)
    }
    return steps < Number.POSITIVE_INFINITY ? steps : 0
  }

  #awaitEnd(): void {
    if (this.#end !== undefined) this.#kernel.cancel(this.#end)
    const end_ns = this.#under.end_ns
    this.#end = end_ns === undefined ? undefined : this.#kernel.schedule(end_ns, order.ends, this.#stepEnds)
  }
}

export type EngineState = 'down' | 'starting' | 'up'

export interface EngineHeard extends Heard {
  ready(): void
  /** Steps are over: `count` of the same batch, each with one more token of context than the one before. */
  stepped?(flight: Flight, count: number): void
}
