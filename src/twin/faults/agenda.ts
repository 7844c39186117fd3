import { Kernel, order } from '../kernel.ts'

/** One life of a simulated process. What it scheduled dies with it. */
export class Life {
  readonly name: string
  alive = true
  /** Effects on the world so far: lines written, rows committed, words told. */
  effects = 0
  readonly #onDeath: () => void
  #diesAt = Number.POSITIVE_INFINITY

  constructor(name: string, onDeath: () => void) {
    this.name = name
    this.#onDeath = onDeath
  }

  /** It will be killed right before the n-th effect from now on. */
  diesIn(effects: number): void {
    this.#diesAt = this.effects + effects
  }

  /** Between any two effects a process may be killed: here. What comes after this call never happens then. */
  effect(): void {
    if (this.alive && ++this.effects < this.#diesAt) return
    this.kill()
    throw new Killed(this.name)
  }

  kill(): void {
    if (!this.alive) return
    this.alive = false
    this.#onDeath()
  }
}

/** kill -9 in the middle of something: unwinds to the agenda and goes no further. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** What happens when, in milliseconds of simulated time. Ties happen in the order in which they were planned. */
export class Agenda {
  /** Called after everything that happened. */
  after: () => void = () => {}
  readonly #kernel = new Kernel()
  readonly #start_ms: number

  constructor(start_ms: number) {
    this.#start_ms = start_ms
  }

  get now_ms(): number {
    return this.#start_ms + this.#kernel.now_ns / 1e6
  }

  /** `life`: whose doing it is; it does not happen once that is over. */
  in(delay_ms: number, life: Life | undefined, run: () => void): void {
    this.#kernel.schedule(this.#kernel.now_ns + Math.round(delay_ms * 1e6), order.arrives, () => {
      if (life && !life.alive) return
      try {
        run()
      } catch (error) {
        if (!(error instanceof Killed)) throw error
      }
      this.after()
    })
  }

  /** Runs until nothing is left or the time is up. */
  run(until_ms: number): void {
    this.#kernel.run(Math.round((until_ms - this.#start_ms) * 1e6))
  }
}
