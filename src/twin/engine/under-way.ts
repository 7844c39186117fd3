import type { StepCost } from '../../plant/models/step-cost.ts'
import { assert } from '../../units/assert.ts'
import { Flight } from './flight.ts'
import type { Scheduler } from './step.ts'

/** What an engine's meters show. */
export interface Reading {
  readonly energy_j: number
  readonly busy_s: number
  readonly steps: number
}

/**
 * The steps that the chips have been given, one after the other, and what those that are over took.
 *
 * `leap` more steps would be composed just like them: they are not given one by one, but counted when they are over.
 */
export class UnderWay {
  leap = 0
  readonly #ranks: readonly Scheduler[]
  readonly #cost: StepCost
  readonly #flights: Flight[] = []
  readonly #spare: Flight[] = []
  /** Hears of steps that are over, before what follows them takes their place. */
  readonly #over: (flight: Flight, count: number) => void
  readonly #since_ns: number
  #steps = 0
  #energy_j = 0
  #busy_ns = 0

  constructor(
    ranks: readonly Scheduler[],
    cost: StepCost,
    since_ns: number,
    over: (flight: Flight, count: number) => void,
  ) {
    this.#ranks = ranks
    this.#cost = cost
    this.#since_ns = since_ns
    this.#over = over
  }

  get flights(): readonly Flight[] {
    return this.#flights
  }

  /** One to be filled; it comes back by `give` or `keep`. */
  spare(): Flight {
    const flight = this.#spare.pop() ?? new Flight(this.#ranks.length, this.#cost)
    for (const step of flight.steps) step.clear()
    return flight
  }

  keep(flight: Flight): void {
    this.#spare.push(flight)
  }

  /** Runs when those before it are over, and not before `from_ns`. */
  give(flight: Flight, from_ns: number): void {
    flight.end_ns = Math.max(from_ns, this.#flights.at(-1)?.end_ns ?? 0) + flight.took_ns
    this.#flights.push(flight)
  }

  /** When the last step of the leap is over; undefined: nothing is under way. */
  get end_ns(): number | undefined {
    const running = this.#flights[0]
    if (!running) return undefined
    let end_ns = running.end_ns
    for (let step = 1; step <= this.leap; step++) end_ns += running.tookAfter(step)
    return end_ns
  }

  /** The leap ends with the step that runs at this moment. */
  cutAt(now_ns: number): void {
    this.leap = this.#endedBefore(now_ns)
  }

  /** Steps of the leap that are over at this moment are so. */
  passUntil(now_ns: number): void {
    this.#pass(this.#endedBefore(now_ns + 1)) // time is whole nanoseconds
  }

  /** The leap and the step after it are over. */
  land(): Flight {
    this.#pass(this.leap)
    const flight = this.#flights.shift()
    assert(flight, 'a step that ends was under way')
    this.#count(flight.took_ns, flight.energy_j)
    this.#over(flight, 1)
    return flight
  }

  /** All is lost; what the running step took until now was taken. */
  clear(now_ns: number): void {
    this.passUntil(now_ns)
    const running = this.#flights[0]
    if (running) {
      const share = shareOf(running, now_ns)
      this.#energy_j += share * running.energy_j
      this.#busy_ns += share * running.took_ns
    }
    this.#spare.push(...this.#flights.splice(0))
    this.leap = 0
  }

  /** Cumulative, as a meter on the chips would count: of the running step the part that has passed. */
  reading(now_ns: number): Reading {
    this.passUntil(now_ns)
    const running = this.#flights[0]
    const share = running ? shareOf(running, now_ns) : 0
    const busy_ns = this.#busy_ns + share * (running?.took_ns ?? 0)
    const busy_j = this.#energy_j + share * (running?.energy_j ?? 0)
    const idle_s = (now_ns - this.#since_ns - busy_ns) / 1e9
    return { energy_j: busy_j + this.#cost.idle_w * idle_s, busy_s: busy_ns / 1e9, steps: this.#steps }
  }

  #endedBefore(time_ns: number): number {
    const running = this.#flights[0]
    if (!running) return 0
    let steps = 0
    for (let end_ns = running.end_ns; steps < this.leap && end_ns < time_ns; ) end_ns += running.tookAfter(++steps)
    return steps
  }

  /** The first steps of the leap are over: what follows them is now under way. */
  #pass(steps: number): void {
    const [running, next] = this.#flights
    if (steps === 0 || !running) return
    this.#over(running, steps)
    let end_ns = running.end_ns
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
    this.leap -= steps
  }

  #count(took_ns: number, energy_j: number): void {
    this.#steps++
    this.#energy_j += energy_j
    this.#busy_ns += took_ns
  }
}

const shareOf = ({ end_ns, took_ns }: Flight, now_ns: number): number =>
  took_ns === 0 ? 0 : Math.min(1, Math.max(0, 1 - (end_ns - now_ns) / took_ns))
