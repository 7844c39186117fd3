import { assert } from '../../units/assert.ts'
import { type Cell, EMPTY, freeOf, layoutOf } from './cells.ts'
import { type Demand, keyOf } from './demand.ts'
import { type Kind, kind, type Move, movesOf, type NodeClass } from './kind.ts'
import type { Outlook } from './outlook.ts'
import { potential, roomFor } from './potential.ts'
import { intern, moved, noStates, type States } from './states.ts'

/** A node as placement counts it. */
export interface NodeRoom {
  /** Index of its class. */
  readonly inClass: number
  readonly cpu_milli: number
  readonly memory_mib: number
}

/** Where a demand would go, and what that costs those that come later. */
export interface Choice {
  readonly node: number
  readonly move: Move
  /** Thousandths of GPUs that later demands will not use because of it, beyond those it holds itself. */
  readonly lost: number
  /** The same, for places that only few nodes offer, by the chance that they run short. */
  readonly scarcity: number
}

/** GPUs of a node that a demand holds, by index, and their states before. */
export interface Taken {
  readonly node: number
  readonly gpus: readonly number[]
  readonly before: readonly Cell[]
}

interface Marks {
  now: number
  of: Int32Array
  value: Float64Array
}

interface Best {
  readonly move: Move
  readonly next: number
  /** Orders the places. */
  readonly lost: number
  /** No more than this can be lost for others: what a cut GPU has left; infinite for whole GPUs and shares. */
  readonly most: number
}

/** Best moves of a demand by state: 0 is not yet asked, 1 is none, the rest are places in `moves` + 2. */
interface KindTable {
  readonly kind: Kind
  at: Int32Array
  readonly moves: Best[]
  /** By scarce demand: it is this one, which does not take a place from itself. */
  readonly own: readonly boolean[]
}

/** They want the same of GPUs; CPU and memory may differ. */
const sameNeed = (one: Demand, other: Demand): boolean =>
  Object.values(one.gpu).join() === Object.values(other.gpu).join() &&
  (one.chips === null || other.chips === null || one.chips.join() === other.chips.join())

const grown = (held: Int32Array, size: number): Int32Array => {
  const larger = new Int32Array(2 * size + 64)
  larger.set(held)
  return larger
}

/** Lost by cutting an empty GPU: it could be given whole, or rest. More than any gap in a GPU that is cut already. */
const OPENING = 2000

/** Beyond this many states the tables are made anew: 100,000 take some 50 MB. */
const MOST_STATES = 100_000

/**
 * Nodes with what is left on them, and the tables by which demands are placed. Mutable: `take` and `free` change it.
 *
 * Decisions are greedy: the place is chosen where the least is lost of what the fleet is still good for. A table per demand
 * and node state makes a decision a scan of the nodes.
 */
export class Placer {
  readonly classes: readonly NodeClass[]
  readonly nodes: readonly NodeRoom[]
  private readonly outlook: Outlook
  private readonly cpu: Int32Array
  private readonly memory: Int32Array
  private readonly width: number
  private readonly cells: Int16Array
  private readonly state: Int32Array
  private readonly kinds = new Map<string, KindTable>()
  private states: States = noStates()
  private potentials: number[] = []
  private rooms: (Float64Array | undefined)[] = []
  private readonly roomInAll: Float64Array
  private freeMilli = 0
  private readonly marks: Marks = { now: 0, of: new Int32Array(1024), value: new Float64Array(1024) }

  constructor(classes: readonly NodeClass[], nodes: readonly NodeRoom[], outlook: Outlook) {
    this.classes = classes
    this.nodes = nodes
    this.outlook = outlook
    this.cpu = Int32Array.from(nodes, (node) => node.cpu_milli)
    this.memory = Int32Array.from(nodes, (node) => node.memory_mib)
    this.width = classes.reduce((most, one) => Math.max(most, one.gpus), 0)
    this.cells = new Int16Array(nodes.length * this.width).fill(EMPTY)
    this.state = new Int32Array(nodes.length)
    this.roomInAll = new Float64Array(outlook.scarce.length)
    nodes.forEach((_, node) => {
      this.settle(node, true)
    })
  }

  /** The states of a node's GPUs. */
  gpus(node: number): Int16Array {
    const from = node * this.width
    return this.cells.subarray(from, from + this.classOf(node).gpus)
  }

  /** CPU and memory of a node that nothing holds. */
  left(node: number): { readonly cpu_milli: number; readonly memory_mib: number } {
    return { cpu_milli: this.cpu[node] as number, memory_mib: this.memory[node] as number }
  }

  /** Thousandths of GPUs that nothing holds. */
  get free(): number {
    return this.freeMilli
  }

  /** The best place among the nodes that `allowed` lets through; the earlier node wins a tie. */
  choose(demand: Demand, allowed?: (node: number) => boolean, order?: ArrayLike<number>): Choice | undefined {
    const table = this.tableOf(demand)
    const prices = this.prices()
    const { memory } = table.kind
    const marks = this.newMarks()
    let [best, bestValue] = [-1, Number.POSITIVE_INFINITY]
    for (let at = 0; at < this.nodes.length; at++) {
      const node = order ? (order[at] as number) : at
      const state = this.state[node] as number
      if (marks.of[state] !== marks.now) this.mark(marks, state, this.value(table, state, prices))
      const value = marks.value[state] as number
      if (value >= bestValue || (this.memory[node] as number) < memory || allowed?.(node) === false) continue
      best = node
      bestValue = value
    }
    if (best < 0) return undefined
    const found = this.bestMove(table, this.state[best] as number)
    assert(found, 'a chosen node has a move')
    const lost = Math.min(found.lost, found.most)
    return { node: best, move: found.move, lost, scarcity: bestValue - found.lost }
  }

  /** Puts a demand where `choose` said, or where it stands already. */
  take(demand: Demand, { node, move }: Pick<Choice, 'node' | 'move'>): Taken {
    const cells = this.gpus(node)
    const gpus: number[] = []
    for (let gpu = 0; gpu < cells.length && gpus.length < move.count; gpu++)
      if (cells[gpu] === move.from) gpus.push(gpu)
    return this.takeGpus(demand, node, gpus, move.to)
  }

  /** Puts a demand onto named GPUs of a node, each of which comes to be in state `to`. */
  takeGpus(demand: Demand, node: number, gpus: readonly number[], to: Cell): Taken {
    const cells = this.gpus(node)
    const before = gpus.map((gpu) => cells[gpu] as Cell)
    for (const gpu of gpus) cells[gpu] = to
    this.change(node, -demand.cpu_milli, -demand.memory_mib)
    return { node, gpus, before }
  }

  /** Takes a demand away again: shares give back their thousandths, others what `cells` says. */
  release(demand: Demand, node: number, gpus: readonly number[], cells: readonly Cell[]): void {
    const held = this.gpus(node)
    gpus.forEach((gpu, index) => {
      held[gpu] = cells[index] ?? EMPTY
    })
    this.change(node, demand.cpu_milli, demand.memory_mib)
  }

  private change(node: number, cpu: number, memory: number): void {
    this.cpu[node] = (this.cpu[node] as number) + cpu
    this.memory[node] = (this.memory[node] as number) + memory
    assert((this.cpu[node] as number) >= 0 && (this.memory[node] as number) >= 0, 'no node gives more than it has')
    if (this.states.cells.length > MOST_STATES) this.forget()
    this.settle(node, false)
  }

  /** Gives a node its state, and carries the sums over all nodes along. */
  private settle(node: number, first: boolean): void {
    const before = this.state[node] as number
    const state = intern(
      this.states,
      this.node(node).inClass,
      this.cpu[node] as number,
      Int16Array.from(this.gpus(node)),
    )
    this.state[node] = state
    const { grid } = this.classOf(node)
    const free = (of: number): number =>
      (this.states.cells[of] as Int16Array).reduce((sum, cell) => sum + freeOf(cell, grid), 0)
    this.freeMilli += free(state) - (first ? 0 : free(before))
    const now = this.roomOf(state)
    const then = first ? undefined : this.roomOf(before)
    for (let at = 0; at < now.length; at++)
      this.roomInAll[at] = (this.roomInAll[at] as number) + (now[at] as number) - (then?.[at] ?? 0)
  }

  private forget(): void {
    this.states = noStates()
    this.potentials = []
    this.rooms = []
    this.kinds.clear()
    this.roomInAll.fill(0)
    this.freeMilli = 0
    this.nodes.forEach((_, node) => {
      this.settle(node, true)
    })
  }

  /**
   * Thousandths lost by each place fewer, for each scarce demand: its size by the chance that places run short, for which
   * (needed / places)³ stands. Needed is what would come while the free GPUs fill up.
   */
  private prices(): Float64Array {
    const arrivals = this.freeMilli / this.outlook.mean
    return Float64Array.from(this.outlook.scarce, ({ kind: one, frequency }, at) => {
      const short = Math.min(1, (frequency * arrivals) / Math.max(1, this.roomInAll[at] as number))
      return Math.max(...one.weight) * short ** 3
    })
  }

  /** Values of states in this decision, so that alike nodes are looked at once. */
  private newMarks(): Marks {
    this.marks.now++
    return this.marks
  }

  private mark(marks: Marks, state: number, value: number): void {
    if (state >= marks.of.length) {
      marks.of = grown(marks.of, state)
      const values = new Float64Array(marks.of.length)
      values.set(marks.value)
      marks.value = values
    }
    marks.of[state] = marks.now
    marks.value[state] = value
  }

  private value(table: KindTable, state: number, prices: Float64Array): number {
    const best = this.bestMove(table, state)
    if (!best) return Number.POSITIVE_INFINITY
    const [before, after] = [this.roomOf(state), this.roomOf(best.next)]
    let value = best.lost
    for (let at = 0; at < prices.length; at++)
      if ((prices[at] as number) >= 1 && !table.own[at])
        value += (prices[at] as number) * ((before[at] as number) - (after[at] as number))
    return value
  }

  private bestMove(table: KindTable, state: number): Best | null {
    if (state >= table.at.length) table.at = grown(table.at, state)
    const at = table.at[state] as number
    if (at > 0) return at === 1 ? null : (table.moves[at - 2] as Best)
    const found = this.findMove(table.kind, state)
    table.at[state] = found ? table.moves.push(found) + 1 : 1
    return found
  }

  private findMove(one: Kind, state: number): Best | null {
    const inClass = this.states.inClass[state] as number
    if (one.accepts[inClass] === 0 || (this.states.cpu[state] as number) < one.cpu) return null
    const slots = this.outlook.slots[inClass]
    let best: Best | null = null
    for (const move of movesOf(one, inClass, this.states.cells[state] as Int16Array, slots?.begin)) {
      const next = moved(this.states, state, one.cpu, move)
      const lost =
        slots && (one.profile[inClass] as number) >= 0
          ? this.lostBySlice(slots.values, state, one.cpu, move)
          : this.potentialOf(state) - this.potentialOf(next) - (one.weight[inClass] as number)
      if (best && lost >= best.lost - 1e-9) continue
      const sliced = (one.profile[inClass] as number) >= 0
      best = {
        move,
        next,
        lost,
        most: sliced ? freeOf(move.to, this.classes[inClass]?.grid) : Number.POSITIVE_INFINITY,
      }
    }
    return best
  }

  /** Slots by what the layout was worth and is worth; the CPU by what the node could have held with it. */
  private lostBySlice(values: Float64Array, state: number, cpu: number, { from, to }: Move): number {
    const less = moved(this.states, state, cpu, { from, to, count: 0 })
    const slots = (values[layoutOf(from)] as number) - (values[layoutOf(to)] as number)
    return (from === EMPTY ? OPENING : 0) + slots + this.potentialOf(state) - this.potentialOf(less)
  }

  private potentialOf(state: number): number {
    const held = this.potentials[state]
    if (held !== undefined) return held
    const value = potential(this.outlook, this.states, state)
    this.potentials[state] = value
    return value
  }

  private roomOf(state: number): Float64Array {
    const held = this.rooms[state]
    if (held) return held
    const rooms = Float64Array.from(this.outlook.scarce, (one) =>
      roomFor(one.kind, this.states, state, this.classes[this.states.inClass[state] as number]?.grid),
    )
    this.rooms[state] = rooms
    return rooms
  }

  private tableOf(demand: Demand): KindTable {
    const key = keyOf(demand)
    const held = this.kinds.get(key)
    if (held) return held
    const made: KindTable = {
      kind: kind(demand, this.classes),
      at: new Int32Array(64),
      moves: [],
      own: this.outlook.scarce.map(({ kind: one }) => sameNeed(one.demand, demand)),
    }
    this.kinds.set(key, made)
    return made
  }

  private node(node: number): NodeRoom {
    return this.nodes[node] as NodeRoom
  }

  private classOf(node: number): NodeClass {
    return this.classes[this.node(node).inClass] as NodeClass
  }
}
