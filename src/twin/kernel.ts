import { assert } from '../units/assert.ts'

/**
 * Simulated time: events on a binary heap over typed arrays, taken one after the other.
 *
 * Time is whole nanoseconds in a float (exact for 104 days), so that sums never depend on their order. Events of one moment
 * come by `Order`, then as they were scheduled: one seed is one run, on any machine.
 */
export class Kernel {
  now_ns = 0
  /** Events that have happened. */
  happened = 0
  #serial = 0
  #size = 0
  #capacity = 1024
  /** Slots in heap order; the arrays below are by slot. */
  #heap = new Int32Array(1024)
  #at = new Float64Array(1024)
  #rank = new Float64Array(1024)
  #arg = new Float64Array(1024)
  readonly #act: (Act | undefined)[] = []
  readonly #spare: number[] = []

  /** Calls `act(arg)` when the clock stands at `at_ns`; the ticket is for `cancel`. */
  schedule(at_ns: number, order: Order, act: Act, arg = 0): Ticket {
    assert(at_ns >= this.now_ns && Number.isSafeInteger(at_ns), 'an event lies ahead, on a whole nanosecond')
    const slot = this.#spare.pop() ?? this.#newSlot()
    const serial = this.#serial++
    this.#at[slot] = at_ns
    this.#rank[slot] = order * rankStep + serial
    this.#arg[slot] = arg
    this.#act[slot] = act
    this.#rise(this.#size++, slot)
    return serial * slotLimit + slot
  }

  /** It will not happen. A ticket of what has happened already, or was cancelled, does nothing. */
  cancel(ticket: Ticket): void {
    const slot = ticket % slotLimit
    const serial = (ticket - slot) / slotLimit
    if ((this.#rank[slot] ?? 0) % rankStep === serial) this.#act[slot] = undefined
  }

  /** Whether something else happens at this very moment before an event of `order` would. */
  isBefore(order: Order): boolean {
    this.#dropCancelled()
    const slot = this.#heap[0] ?? 0
    return this.#size > 0 && this.#at[slot] === this.now_ns && (this.#rank[slot] ?? 0) < order * rankStep
  }

  /** When the next event comes; infinite: there is none. */
  get next_ns(): number {
    this.#dropCancelled()
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#at[this.#heap[0] ?? 0] ?? 0)
  }

  /** Lets the next event happen; false: there is none. */
  step(): boolean {
    this.#dropCancelled()
    if (this.#size === 0) return false
    const slot = this.#heap[0] ?? 0
    const act = this.#act[slot]
    const arg = this.#arg[slot] ?? 0
    this.now_ns = this.#at[slot] ?? 0
    this.happened++
    this.#removeFirst()
    act?.(arg)
    return true
  }

  /** Lets everything happen up to and at `until_ns`; the clock then stands there, or at the last event if no end is given. */
  run(until_ns = Number.POSITIVE_INFINITY): void {
    while (this.next_ns <= until_ns && this.step());
    if (until_ns < Number.POSITIVE_INFINITY) this.now_ns = until_ns
  }

  #dropCancelled(): void {
    while (this.#size > 0 && this.#act[this.#heap[0] ?? 0] === undefined) this.#removeFirst()
  }

  #removeFirst(): void {
    const slot = this.#heap[0] ?? 0
    this.#act[slot] = undefined
    this.#rank[slot] = -1
    this.#spare.push(slot)
    const last = this.#heap[--this.#size] ?? 0
    if (this.#size > 0) this.#sink(last)
  }

  #rise(from: number, slot: number): void {
    const heap = this.#heap
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above] ?? 0
      if (!this.#precedes(slot, parent)) break
      heap[place] = parent
      place = above
    }
    heap[place] = slot
  }

  #sink(slot: number): void {
    const heap = this.#heap
    const size = this.#size
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= size) break
      if (below + 1 < size && this.#precedes(heap[below + 1] ?? 0, heap[below] ?? 0)) below++
      const child = heap[below] ?? 0
      if (!this.#precedes(child, slot)) break
      heap[place] = child
      place = below
    }
    heap[place] = slot
  }

  #precedes(a: number, b: number): boolean {
    const at = this.#at[a] ?? 0
    const other = this.#at[b] ?? 0
    return at < other || (at === other && (this.#rank[a] ?? 0) < (this.#rank[b] ?? 0))
  }

  #newSlot(): number {
    const slot = this.#act.length
    assert(slot < slotLimit, 'fewer than a million events lie ahead')
    this.#act.push(undefined)
    if (slot === this.#capacity) this.#widen()
    return slot
  }

  #widen(): void {
    this.#capacity *= 2
    const heap = new Int32Array(this.#capacity)
    heap.set(this.#heap)
    this.#heap = heap
    this.#at = wider(this.#at, this.#capacity)
    this.#rank = wider(this.#rank, this.#capacity)
    this.#arg = wider(this.#arg, this.#capacity)
  }
}

/** What happens; the argument is a number, so that one function serves many events without a closure each. */
export type Act = (arg: number) => void

/** Names a scheduled event for as long as it lies ahead. */
export type Ticket = number

/** What comes first at one moment: what ends makes room, what arrives asks for it, then work is composed from both. */
export const order = { ends: 0, arrives: 1, composes: 2 } as const
export type Order = (typeof order)[keyof typeof order]

/** A million events ahead: more is a workload that should be scheduled as it comes. */
const slotLimit = 2 ** 20
const rankStep = 2 ** 50

function wider(from: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length)
  to.set(from)
  return to
}
