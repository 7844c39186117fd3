import type { Sequence } from './sequence.ts'

/** What waits at an engine: first come first served, what was preempted at its head; or by priority, then in order of coming. */
export class Queue {
  readonly #policy: 'fcfs' | 'priority'
  #items: Sequence[] = []
  /** Items before it have left: shifting an array of thousands for each would cost more than all else. */
  #start = 0

  constructor(policy: 'fcfs' | 'priority') {
    this.#policy = policy
  }

  get length(): number {
    return this.#items.length - this.#start
  }

  get first(): Sequence | undefined {
    return this.#items[this.#start]
  }

  add(sequence: Sequence): void {
    let place = this.#items.length
    if (this.#policy === 'priority')
      while (place > this.#start && byPriority(this.#items[place - 1] as Sequence, sequence) > 0) place--
    this.#items.splice(place, 0, sequence)
  }

  /** It was preempted. */
  putBack(sequence: Sequence): void {
    if (this.#policy === 'priority') this.add(sequence)
    else if (this.#start > 0) this.#items[--this.#start] = sequence
    else this.#items.unshift(sequence)
  }

  shift(): Sequence | undefined {
    const first = this.first
    if (!first) return undefined
    this.#start++
    if (this.#start > 64 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start)
      this.#start = 0
    }
    return first
  }

  remove(sequence: Sequence): void {
    const at = this.#items.indexOf(sequence, this.#start)
    if (at >= 0) this.#items.splice(at, 1)
  }

  clear(): void {
    this.#items = []
    this.#start = 0
  }

  items(): Sequence[] {
    return this.#items.slice(this.#start)
  }
}

/** Below 0: `a` goes first. */
export const byPriority = (a: Sequence, b: Sequence): number => a.priority - b.priority || a.turn - b.turn
