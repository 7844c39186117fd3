import { Worker } from 'node:worker_threads'
import type { Home } from '../../files/home.ts'
import type { Store } from '../store.ts'
import { asThrown } from '../thrown.ts'
import { dueHours, postWorked } from './close-hours.ts'
import { learnedSince, type WorkedHour } from './work-out.ts'

/** In one look at the books: a day is caught up with in one, and a thread ends before its view of the books is old. */
const mostHours = 24
/** After a failure: a thread that cannot open the books is not made five times a second. */
const pause_ms = 10_000

/**
 * Works out hours in a thread of its own, from its own view of the books, and posts them here: an hour of fifty thousand requests
 * takes seconds, in which the operator answers its gateways. An hour of which something was learned while it was worked out is not
 * posted but worked out again. Only what was posted is kept: killed at any moment, it begins with the same hours.
 */
export class HoursThread {
  readonly #home: Home
  readonly #store: Store
  readonly #now: () => number
  #worker: Worker | undefined
  #failed: { readonly cause: unknown; readonly at: number } | undefined
  #stopped = false

  constructor(home: Home, store: Store, now: () => number) {
    this.#home = home
    this.#store = store
    this.#now = now
  }

  /** Whether hours are being worked out. */
  get running(): boolean {
    return this.#worker !== undefined
  }

  /** Begins with what can be worked out, unless it is at work. It throws what went wrong last, until that is over. */
  turn(): false {
    if (this.#stopped || this.#worker) return false
    if (this.#failed && performance.now() - this.#failed.at < pause_ms) throw this.#failed.cause
    const hours = dueHours(this.#store, this.#now(), mostHours)
    if (hours.length > 0) this.#begin(hours)
    else this.#failed = undefined
    return false
  }

  /** Nothing is posted after it: what was worked out in vain is worked out again by whoever comes next. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#worker?.terminate()
  }

  #begin(hours: readonly number[]): void {
    const worker = new Worker(workerFile(), { workerData: { home: this.#home, hours } })
    worker.unref()
    this.#worker = worker
    let over = false // hours are closed without a hole: after one that is not posted, none is
    let failure: { readonly cause: unknown } | undefined
    worker.on('message', (worked: WorkedHour) => {
      over ||= this.#stopped
      if (over) return
      try {
        this.#store.transaction(() => {
          over = learnedSince(this.#store, worked)
          if (!over) postWorked(this.#store, worked, this.#now())
        })
      } catch (cause) {
        over = true
        failure = { cause }
      }
    })
    worker.once('error', (cause) => {
      failure ??= { cause: asThrown(cause, this.#home) }
    })
    worker.once('exit', () => {
      this.#worker = undefined
      this.#failed = failure && { ...failure, at: performance.now() }
    })
  }
}

/** Beside this file, whether it runs from the sources or built. */
const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? 'hours-worker.ts' : 'hours-worker.js', import.meta.url)
