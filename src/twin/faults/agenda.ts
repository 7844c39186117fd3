import { assert } from '../../units/assert.ts'

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

interface Entry {
  readonly at_ms: number
  readonly order: number
  readonly life: Life | undefined
  readonly run: () => void
}

/** What happens when, in milliseconds of simulated time. Ties happen in the order in which they were planned. */
export class Agenda {
  now_ms: number
  /** Called after everything that happened. */
  after: () => void = () => {}
  #order = 0
  readonly #heap: Entry[] = []

  constructor(start_ms: number) {
    this.now_ms = start_ms
  }

  /** `life`: whose doing it is; it does not happen once that is over. */
  in(delay_ms: number, life: Life | undefined, run: () => void): void {
    assert(delay_ms >= 0, 'nothing is planned for the past')
    this.#push({ at_ms: this.now_ms + delay_ms, order: this.#order++, life, run })
  }

  /** Runs until nothing is left or the time is up. */
  run(until_ms: number): void {
    for (let next = this.#heap[0]; next && next.at_ms <= until_ms; next = this.#heap[0]) {
      this.#pop()
      this.now_ms = next.at_ms
      if (next.life && !next.life.alive) continue
      try {
        next.run()
      } catch (error) {
        if (!(error instanceof Killed)) throw error
      }
      this.after()
    }
    this.now_ms = until_ms
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    for (let parent = (at - 1) >> 1; at > 0 && earlier(entry, heap[parent] as Entry); parent = (at - 1) >> 1) {
      heap[at] = heap[parent] as Entry
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && earlier(heap[child + 1] as Entry, heap[child] as Entry)) child++
      if (earlier(last, heap[child] as Entry)) break
      heap[at] = heap[child] as Entry
      at = child
    }
    heap[at] = last
  }
}

const earlier = (a: Entry, b: Entry): boolean => a.at_ms < b.at_ms || (a.at_ms === b.at_ms && a.order < b.order)
