import { type Cell, cellOf, EMPTY, FULL, type Grid, layoutOf } from './cells.ts'
import type { Demand } from './demand.ts'
import { begun, type Starts } from './slots.ts'

/** Nodes that are alike: same chip, same number of them. */
export interface NodeClass {
  readonly chip: string
  readonly gpus: number
  readonly grid: Grid | undefined
}

/** A demand as the tables see it: numbers, and what each class of nodes makes of it. */
export interface Kind {
  readonly demand: Demand
  readonly cpu: number
  readonly memory: number
  /** GPUs it takes at once; 0 when it needs none. */
  readonly gpus: number
  /** Thousandths of each; 1000 for whole GPUs and for slices, whose size is the profile's. */
  readonly milli: number
  /** No GPU takes it whose state is below this; 0 when it needs none. */
  readonly least: Cell
  /** By class: whether it may run there at all. */
  readonly accepts: Uint8Array
  /** By class: the MIG profile's index; -1 when it is no slice, or the class has no such profile. */
  readonly profile: Int16Array
  /** By class: thousandths of GPUs that it holds. */
  readonly weight: Int32Array
}

export function kind(demand: Demand, classes: readonly NodeClass[]): Kind {
  const { gpu, chips } = demand
  const profile = Int16Array.from(classes, ({ grid }) =>
    gpu.kind === 'slice' ? (grid?.profiles.indexOf(gpu.profile) ?? -1) : -1,
  )
  const gpus = gpu.kind === 'whole' ? gpu.gpus : gpu.kind === 'none' ? 0 : 1
  const milli = gpu.kind === 'share' ? gpu.milli : gpu.kind === 'none' ? 0 : 1000
  const fits = (index: number, one: NodeClass): boolean =>
    one.gpus >= gpus &&
    (gpus === 0 || chips === null || chips.includes(one.chip)) &&
    (gpu.kind !== 'slice' || (profile[index] ?? -1) >= 0)
  return {
    demand,
    cpu: demand.cpu_milli,
    memory: demand.memory_mib,
    gpus,
    milli,
    least: gpu.kind === 'share' ? milli : gpus > 0 ? EMPTY : FULL,
    accepts: Uint8Array.from(classes, (one, index) => (fits(index, one) ? 1 : 0)),
    profile,
    weight: Int32Array.from(classes, ({ grid }, index) =>
      gpu.kind === 'slice' ? (grid?.weight[profile[index] ?? -1] ?? 0) : gpus * milli,
    ),
  }
}

/** One way to put a demand onto a node's GPUs: `count` of those in state `from` go to state `to`. */
export interface Move {
  readonly from: Cell
  readonly to: Cell
  readonly count: number
}

/**
 * Every way that differs to put a demand onto GPUs in these states: alike GPUs count once, and a slice begins where
 * `begin` says. A demand without GPUs has one way, which touches none.
 */
export function movesOf(one: Kind, inClass: number, cells: ArrayLike<Cell>, begin: Starts | undefined): Move[] {
  if (one.gpus === 0) return [{ from: EMPTY, to: EMPTY, count: 0 }]
  if (one.milli === 1000 && (one.profile[inClass] ?? -1) < 0) {
    let empty = 0
    for (let at = 0; at < cells.length; at++) if (cells[at] === EMPTY) empty++
    return empty >= one.gpus ? [{ from: EMPTY, to: FULL, count: one.gpus }] : []
  }
  const moves: Move[] = []
  for (let at = 0; at < cells.length; at++) {
    const from = cells[at] as Cell
    if (at > 0 && from === cells[at - 1]) continue // cells are sorted
    const to = after(one, inClass, from, begin)
    if (to >= 0) moves.push({ from, to, count: 1 })
  }
  return moves
}

/** The state of one GPU with one share or slice more; -1 when it does not fit. */
export function after(one: Kind, inClass: number, cell: Cell, begin: Starts | undefined): Cell {
  const profile = one.profile[inClass] ?? -1
  if (profile < 0) return cell <= EMPTY && cell >= one.milli ? cell - one.milli : -1
  if (cell < EMPTY || !begin) return -1
  const layout = begun(begin, layoutOf(cell), profile)
  return layout < 0 ? -1 : cellOf(layout)
}
