import type { Seconds } from '../../units/quantity.ts'
import { seconds } from '../../units/quantity.ts'

/** Beyond this the monotonic clock has missed time: the machine slept, or its clock was set. */
const longestMiss_ms = 1000

/**
 * Unix time that never goes back: limits and deadlines hold when somebody sets the clock, and rows still carry a date.
 *
 * The monotonic clock leads. It stands still while a laptop sleeps, so when it falls behind the wall clock it is moved
 * forward; a wall clock that goes back is ignored until the factory starts again.
 *
 * The processes of a factory have one time: each goes on from how far its launcher's is `ahead` of the monotonic clock, which
 * is the machine's. Else a clock set back between two starts, or while all run, would date requests by one time and the meters
 * that saw them by another, and their joules would find nobody.
 */
export class Clock {
  readonly #monotonic_ms: () => number
  readonly #wall_ms: () => number
  #ahead_ms: number

  constructor(monotonic_ms: () => number, wall_ms: () => number, ahead_ms = wall_ms() - monotonic_ms()) {
    this.#monotonic_ms = monotonic_ms
    this.#wall_ms = wall_ms
    this.#ahead_ms = ahead_ms
  }

  /** How far it is ahead of the monotonic clock: what a process started now goes on from. */
  get ahead_ms(): number {
    const missed_ms = this.#wall_ms() - (this.#ahead_ms + this.#monotonic_ms())
    if (missed_ms > longestMiss_ms) this.#ahead_ms += missed_ms
    return this.#ahead_ms
  }

  readonly seconds = (): Seconds => seconds((this.ahead_ms + this.#monotonic_ms()) / 1000)
  /** Whole milliseconds. */
  readonly ms = (): number => Math.floor(this.ahead_ms + this.#monotonic_ms())
}

/** Since the machine was started, for all of its processes; `performance.now` alone counts from a process's own start. */
const beforeUs_ms = Number(process.hrtime.bigint()) / 1e6 - performance.now()
const variable = 'WATTMILL_CLOCK_AHEAD_MS'
const given = process.env[variable]

/** The time of this process: its launcher's, where it has one. */
export const clock = new Clock(
  () => beforeUs_ms + performance.now(),
  Date.now,
  given === undefined || !Number.isFinite(Number(given)) ? undefined : Number(given),
)

/** What gives a process that is started now the same time. */
export const clockEnvironment = (): Record<string, string> => ({ [variable]: String(clock.ahead_ms) })
