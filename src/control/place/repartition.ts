import { repartition as commandsFor, type Step } from '../../plant/chips/mig/commands.ts'
import type { Slice } from '../../plant/chips/mig/layouts.ts'
import { type Cell, type Grid, layoutOf } from './cells.ts'
import { type CutGpu, consolidate, type SliceMove } from './consolidate.ts'
import { vetoes } from './constraints.ts'
import type { Moved } from './decision.ts'
import type { Inventory, Occupant } from './inventory.ts'
import { locationOf } from './location.ts'
import { type MoveCost, moveCost } from './move-cost.ts'
import { HORIZON_HOURS } from './room.ts'
import { layoutValues } from './slots.ts'

/** Moves that leave a GPU empty, and what they cost against what it saves. */
export interface Repartition {
  readonly freed: { readonly node: string; readonly gpu: number }
  readonly moves: readonly Moved[]
  readonly cost_usd: number
  /** What an hour of the freed GPU costs. */
  readonly saves_usd_hour: number
  readonly pays_back_hours: number
}

/** Commands for one GPU whose layout changes. */
export interface GpuCommands {
  readonly node: string
  readonly gpu: number
  readonly steps: readonly Step[]
}

/** GPUs cleared at once: more free little more, and move many. */
const MOST_CLEARED = 4
/** Plans in a row. */
const MOST_PLANS = 16

/** A number for a GPU among all nodes, so that consolidation need not know of nodes. */
const WIDTH = 64

/**
 * Defragmentation that pays: as long as moving instances together frees a GPU whose cost within a day exceeds that of the
 * moves, they are moved. Only replicas that run and may be moved are; the inventory is left as it will be.
 */
export function repartitions(inventory: Inventory): Repartition[] {
  const made: Repartition[] = []
  const grids = new Set(inventory.placer.classes.flatMap(({ grid }) => grid ?? []))
  for (const grid of grids) {
    const values = layoutValues(grid, mixOf(inventory, grid))
    for (let plan = 0; plan < MOST_PLANS; plan++) {
      const one = oneRepartition(inventory, grid, values)
      if (!one) break
      made.push(one)
    }
  }
  return made
}

function oneRepartition(inventory: Inventory, grid: Grid, values: Float64Array): Repartition | undefined {
  const held = slicesBy(inventory, grid)
  const ids = [...held.values()].flat()
  const gpus = [...held].map(
    ([gpu, who]): CutGpu => ({
      gpu,
      cell: cellAt(inventory, gpu),
      held: who.map((one) => ({
        id: ids.indexOf(one),
        slice: one.slice ?? -1,
        movable: (one.standing?.movable ?? false) && !one.settled,
      })),
    }),
  )
  const plan = consolidate(grid, gpus, values, MOST_CLEARED, fitting(inventory, ids))
  const price = plan && inventory.node(Math.floor(plan.freed / WIDTH)).gpuCost?.usd_hour
  if (!plan || price === undefined) return undefined
  const moves = ordered(grid, gpus, plan.moves).map(({ move, blocked }) => {
    const who = ids[move.id] as Occupant
    const to: Occupant = {
      ...who,
      node: Math.floor(move.to.gpu / WIDTH),
      gpus: [move.to.gpu % WIDTH],
      slice: move.to.slice,
      settled: true,
    }
    const cost = moveCost(inventory, who, to)
    return { who, to, cost: { ...cost, interrupts: cost.interrupts || blocked } }
  })
  const cost_usd = moves.reduce((sum, { cost }) => sum + (cost.usd ?? 0), 0)
  if (cost_usd >= price * HORIZON_HOURS) return undefined
  for (const { who } of moves) inventory.leave(who)
  for (const { to } of moves) inventory.restore(to)
  return {
    freed: { node: inventory.node(Math.floor(plan.freed / WIDTH)).id, gpu: plan.freed % WIDTH },
    moves: moves.map(({ who, to, cost }) => movedOf(inventory, who, to, cost)),
    cost_usd,
    saves_usd_hour: price,
    pays_back_hours: cost_usd / price,
  }
}

export const movedOf = (inventory: Inventory, who: Occupant, to: Occupant, cost: MoveCost): Moved => ({
  replica: who.replica,
  from: locationOf(inventory, who),
  to: locationOf(inventory, to),
  usd: cost.usd,
  seconds: cost.seconds,
  interrupts: cost.interrupts,
})

const cellAt = (inventory: Inventory, gpu: number): Cell =>
  inventory.placer.gpus(Math.floor(gpu / WIDTH))[gpu % WIDTH] as Cell

/** Who holds slices, by GPU. */
function slicesBy(inventory: Inventory, grid: Grid): Map<number, Occupant[]> {
  const held = new Map<number, Occupant[]>()
  for (const one of inventory.occupants) {
    const [gpu] = one.gpus
    if (one.slice === null || gpu === undefined || inventory.class(one.node).grid !== grid) continue
    const at = one.node * WIDTH + gpu
    held.set(at, [...(held.get(at) ?? []), one])
  }
  return held
}

/** What stands is what is expected: shares of the profiles among all slices. */
function mixOf(inventory: Inventory, grid: Grid): number[] {
  const slices = [...slicesBy(inventory, grid).values()].flat()
  return grid.profiles.map(
    (_, profile) =>
      slices.filter(({ slice }) => grid.slices[profile]?.includes(slice ?? -1)).length / Math.max(1, slices.length),
  )
}

/** Whether an instance may go to another node: its rules, and CPU and memory for it alone. */
function fitting(inventory: Inventory, ids: readonly Occupant[]): (id: number, gpu: number) => boolean {
  return (id, gpu) => {
    const who = ids[id] as Occupant
    const node = Math.floor(gpu / WIDTH)
    if (node === who.node) return true
    const left = inventory.placer.left(node)
    if (left.cpu_milli < who.demand.cpu_milli || left.memory_mib < who.demand.memory_mib) return false
    return vetoes(inventory, { ...who, spread: inventory.spreads.get(who.deployment) ?? 'none' })[node] === null
  }
}

/** Moves in an order in which each finds its place free; those that cannot wait for each other stop first. */
function ordered(
  grid: Grid,
  gpus: readonly CutGpu[],
  moves: readonly SliceMove[],
): { move: SliceMove; blocked: boolean }[] {
  const layouts = new Map(gpus.map(({ gpu, cell }) => [gpu, layoutOf(cell)]))
  const width = grid.layouts.slices.length
  const edge = (table: Int32Array, { gpu, slice }: SliceMove['to']): number =>
    table[(layouts.get(gpu) ?? 0) * width + slice] ?? -1
  const left = [...moves]
  const made: { move: SliceMove; blocked: boolean }[] = []
  while (left.length > 0) {
    const free = left.findIndex((move) => edge(grid.layouts.added, move.to) >= 0)
    const [move] = left.splice(Math.max(0, free), 1)
    if (!move) break
    if (free >= 0) layouts.set(move.to.gpu, edge(grid.layouts.added, move.to))
    layouts.set(move.from.gpu, edge(grid.layouts.removed, move.from))
    made.push({ move, blocked: free < 0 })
  }
  return made
}

/** What to type for each GPU that is cut otherwise than before; what only creates comes first, since replicas move there. */
export function commands(inventory: Inventory): GpuCommands[] {
  const destroys = ({ steps }: GpuCommands): number => (steps.some(({ command }) => command.includes(' -dgi')) ? 1 : 0)
  return changed(inventory).sort((a, b) => destroys(a) - destroys(b))
}

function changed(inventory: Inventory): GpuCommands[] {
  return inventory.cluster.nodes.flatMap((node, at) => {
    const { geometry } = node
    const { grid } = inventory.class(at)
    if (!geometry || !grid) return []
    return Array.from({ length: node.gpus }, (_, gpu) => gpu).flatMap((gpu) => {
      const now = [...inventory.on(at)].filter((one) => one.gpus.includes(gpu))
      const wanted = now.flatMap(({ slice }) => (slice === null ? [] : (grid.layouts.slices[slice] as Slice)))
      const before = inventory.cluster.standing.filter((one) => one.node === node.id && one.gpus.includes(gpu))
      const standing = before.flatMap(({ need, start, instance }) => {
        const slice =
          need.kind === 'slice' &&
          grid.layouts.slices.find((one) => one.profile.name === need.profile && one.start === start)
        return slice ? [{ ...slice, ...(instance === null ? {} : { instance }) }] : []
      })
      const steps = commandsFor({
        gpu: String(gpu),
        geometry,
        migMode: node.migMode.has(gpu) || standing.length > 0,
        standing,
        wanted,
        uncut: now.length > 0 && wanted.length === 0,
      })
      return steps && steps.length > 0 ? [{ node: node.id, gpu, steps }] : []
    })
  })
}
