import { slotsOf } from '../../plant/chips/mig/layouts.ts'
import { type Cell, cellOf, EMPTY, FULL, layoutOf } from './cells.ts'
import type { Demand } from './demand.ts'
import type { Inventory, Occupant } from './inventory.ts'

/** A place that would be free if some were gone: where, who they are, and what would still be missing. */
export interface Clearance {
  readonly node: number
  readonly gpus: readonly number[]
  /** The slice that would begin there; `null` when none is asked for. */
  readonly slice: number | null
  readonly who: readonly Occupant[]
  readonly short: { readonly cpu_milli: number; readonly memory_mib: number }
}

/** What is at stake with a replica, by default what it earns in an hour; infinite for those that may not go. */
export type Stake = (who: Occupant) => number
const earnings: Stake = ({ usd_hour }) => usd_hour

/** What is at stake with all that are in the way: the order in which places are thought of. */
export const atStake = ({ who }: Pick<Clearance, 'who'>, stake: Stake = earnings): number =>
  who.reduce((sum, one) => sum + stake(one), 0)

/**
 * Places on a node that could be made for a demand, those in whose way the least is at stake first. Rules about the node as
 * a whole are not looked at; neither is whether those in the way may go.
 */
export function clearances(inventory: Inventory, demand: Demand, node: number, stake: Stake = earnings): Clearance[] {
  const { grid, gpus: count } = inventory.class(node)
  const { gpu } = demand
  const on = Array.from({ length: count }, (_, at) => [...inventory.on(node)].filter((one) => one.gpus.includes(at)))
  const made = (gpus: readonly number[], who: readonly Occupant[], slice: number | null = null): Clearance =>
    withCpu(inventory, demand, stake, {
      node,
      gpus,
      slice,
      who: [...new Set(who)],
      short: { cpu_milli: 0, memory_mib: 0 },
    })
  const cheapestFirst = (a: Occupant, b: Occupant): number => ordered(stake(a), stake(b))
  const places: Clearance[] = []
  if (gpu.kind === 'none') places.push(made([], []))
  if (gpu.kind === 'whole' && gpu.gpus <= count) {
    const cheapest = on
      .map((who, at) => ({ at, who, stake: atStake({ who }, stake) }))
      .sort((a, b) => ordered(a.stake, b.stake) || a.at - b.at)
      .slice(0, gpu.gpus)
    places.push(
      made(
        cheapest.map(({ at }) => at),
        cheapest.flatMap(({ who }) => who),
      ),
    )
  }
  if (gpu.kind === 'share')
    on.forEach((who, at) => {
      places.push(
        made([at], untilFree(who.toSorted(cheapestFirst), inventory.placer.gpus(node)[at] as Cell, gpu.milli)),
      )
    })
  if (gpu.kind === 'slice' && grid)
    on.forEach((who, at) => {
      for (const slice of grid.slices[grid.profiles.indexOf(gpu.profile)] ?? []) {
        const one = grid.layouts.slices[slice]
        if (!one) continue
        const inWay = who.filter((other) => overlaps(other, slotsOf(one)))
        const rest = compute(inventory, node, at, who.toSorted(cheapestFirst), inWay, slice)
        places.push(made([at], [...inWay, ...rest], slice))
      }
    })
  return places.sort(
    (a, b) =>
      a.short.cpu_milli - b.short.cpu_milli ||
      ordered(atStake(a, stake), atStake(b, stake)) ||
      a.who.length - b.who.length,
  )

  function overlaps({ slice, demand: { gpu: held } }: Occupant, slots: number): boolean {
    const standing = slice === null ? undefined : grid?.layouts.slices[slice]
    return held.kind !== 'slice' || !standing || (slotsOf(standing) & slots) !== 0
  }
}

/** Slots may be free while compute slices or the profile's own number run out: then others go, the cheapest first. */
function compute(
  inventory: Inventory,
  node: number,
  gpu: number,
  who: readonly Occupant[],
  inWay: readonly Occupant[],
  slice: number,
): Occupant[] {
  const { grid } = inventory.class(node)
  if (!grid) return []
  const { added, removed, slices } = grid.layouts
  const without = (layout: number, one: Occupant): number =>
    one.slice === null ? 0 : (removed[layout * slices.length + one.slice] ?? 0)
  let layout = inWay.reduce(without, layoutOf(inventory.placer.gpus(node)[gpu] as Cell))
  const more: Occupant[] = []
  for (const one of who.filter((other) => !inWay.includes(other))) {
    if ((added[layout * slices.length + slice] ?? -1) >= 0) break
    layout = without(layout, one)
    more.push(one)
  }
  return more
}

function untilFree(who: readonly Occupant[], cell: Cell, milli: number): Occupant[] {
  const gone: Occupant[] = []
  let free = cell > EMPTY ? FULL : cell
  for (const one of who) {
    if (free >= milli) break
    gone.push(one)
    free = one.demand.gpu.kind === 'share' ? free + one.demand.gpu.milli : gone.length === who.length ? EMPTY : free
  }
  return gone
}

/** CPU and memory that lack are taken from the cheapest others of the node; what then still lacks is said. */
function withCpu(inventory: Inventory, demand: Demand, stake: Stake, place: Clearance): Clearance {
  const left = inventory.placer.left(place.node)
  const who = [...place.who]
  const lack = (): Clearance['short'] => ({
    cpu_milli: Math.max(0, demand.cpu_milli - left.cpu_milli - who.reduce((sum, one) => sum + one.demand.cpu_milli, 0)),
    memory_mib: Math.max(
      0,
      demand.memory_mib - left.memory_mib - who.reduce((sum, one) => sum + one.demand.memory_mib, 0),
    ),
  })
  const others = [...inventory.on(place.node)]
    .filter((one) => !who.includes(one))
    .sort((a, b) => ordered(stake(a), stake(b)))
  for (const one of others) {
    const { cpu_milli, memory_mib } = lack()
    if (cpu_milli === 0 && memory_mib === 0) break
    if ((cpu_milli > 0 && one.demand.cpu_milli > 0) || (memory_mib > 0 && one.demand.memory_mib > 0)) who.push(one)
  }
  return { ...place, who, short: lack() }
}

/** Difference for sorting; two infinities are alike. */
const ordered = (a: number, b: number): number => (a === b ? 0 : a - b)

/** The move that puts a demand onto a cleared place. */
export function moveOnto(inventory: Inventory, demand: Demand, { node, gpus, slice }: Clearance) {
  const cells = inventory.placer.gpus(node)
  const from = gpus[0] === undefined ? EMPTY : (cells[gpus[0]] as Cell)
  const { grid } = inventory.class(node)
  if (demand.gpu.kind === 'none') return { from: EMPTY, to: EMPTY, count: 0 }
  if (demand.gpu.kind === 'whole') return { from: EMPTY, to: FULL, count: gpus.length }
  if (demand.gpu.kind === 'share') return { from, to: from - demand.gpu.milli, count: 1 }
  const to = grid?.layouts.added[layoutOf(from) * grid.layouts.slices.length + (slice ?? -1)] ?? -1
  return { from, to: cellOf(to), count: 1 }
}
