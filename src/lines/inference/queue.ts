import type { SloClass } from '../../books/slo-class.ts'
import type { TenantId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import { sloTerms } from './slo.ts'

/** Somebody who waits for a place. */
export interface Waiting {
  readonly tenant: TenantId
  readonly slo: SloClass
  /** When its first token is due. */
  readonly deadline: Seconds
  /** What it will take, in tokens of prompt and answer. */
  readonly cost: number
}

interface Line<Item> {
  readonly key: string
  readonly slo: SloClass
  readonly items: Item[]
  /** What it may take before its turn is over. */
  deficit: number
}

/** Tokens that a line of weight 1 may take in a round: a middling request, so that most rounds serve somebody. */
const quantum = 512

/**
 * Who gets the next free place: deficit round robin over the tenants of each class, by the class's weight, in tokens;
 * within a tenant's line the earliest deadline first (Shreedhar and Varghese, "Efficient fair queueing using deficit round
 * robin", SIGCOMM 1995). A tenant that sends ten times as much gets no more than another that waits too, and no line starves.
 */
export class FairQueue<Item extends object> {
  readonly #lines = new Map<string, Line<Item>>()
  readonly #waiting = new Map<Item, Waiting>()
  /** Lines in their order; the first has its turn. */
  #ring: Line<Item>[] = []

  get size(): number {
    return this.#waiting.size
  }

  has(item: Item): boolean {
    return this.#waiting.has(item)
  }

  push(item: Item, waiting: Waiting): void {
    if (this.#waiting.has(item)) return
    this.#waiting.set(item, waiting)
    const key = `${waiting.slo} ${waiting.tenant}`
    let line = this.#lines.get(key)
    if (!line) {
      line = { key, slo: waiting.slo, items: [], deficit: 0 }
      this.#lines.set(key, line)
      this.#ring.push(line)
    }
    const at = line.items.findIndex((other) => this.#of(other).deadline > waiting.deadline)
    line.items.splice(at < 0 ? line.items.length : at, 0, item)
  }

  /** It left, or was refused: its turn costs its line nothing. */
  remove(item: Item): void {
    this.#drop(item)
  }

  /** It has its place: its line pays for it. */
  served(item: Item): void {
    const waiting = this.#waiting.get(item)
    const line = waiting && this.#lines.get(`${waiting.slo} ${waiting.tenant}`)
    if (line && waiting) line.deficit -= waiting.cost
    this.#drop(item)
  }

  /** The next of those for whom there is a place; the same again until it is served or gone. */
  next(hasPlace: (item: Item) => boolean): Item | undefined {
    const able = new Map(this.#ring.map((line) => [line, line.items.find(hasPlace)] as const))
    if ([...able.values()].every((item) => item === undefined)) return undefined
    for (;;) {
      for (let turn = 0; turn < this.#ring.length; turn++) {
        const line = this.#ring[0] as Line<Item>
        const item = able.get(line)
        if (item && line.deficit >= this.#of(item).cost) return item
        if (item) line.deficit += quantum * sloTerms[line.slo].weight
        this.#ring.push(...this.#ring.splice(0, 1))
      }
    }
  }

  /** How many of its class and of better ones wait, as a bound on how long the newest of them will. */
  ahead(slo: SloClass): number {
    let count = 0
    for (const line of this.#ring) if (sloTerms[line.slo].weight >= sloTerms[slo].weight) count += line.items.length
    return count
  }

  #of(item: Item): Waiting {
    return this.#waiting.get(item) as Waiting
  }

  #drop(item: Item): void {
    const waiting = this.#waiting.get(item)
    if (!waiting) return
    this.#waiting.delete(item)
    const line = this.#lines.get(`${waiting.slo} ${waiting.tenant}`)
    if (!line) return
    line.items.splice(line.items.indexOf(item), 1)
    if (line.items.length > 0) return
    this.#lines.delete(line.key) // an empty line keeps no credit
    this.#ring = this.#ring.filter((other) => other !== line)
  }
}
