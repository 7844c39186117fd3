import { type Cell, cellOf, EMPTY, type Grid, layoutOf } from './cells.ts'
import { fewestGpus, maximalContents } from './cover.ts'

/** A GPU that is cut, with the instances on it. Only GPUs of one geometry are consolidated together. */
export interface CutGpu {
  readonly gpu: number
  readonly cell: Cell
  readonly held: readonly HeldSlice[]
}

export interface HeldSlice {
  readonly id: number
  readonly slice: number
  /** False: it stays where it is, and with it its GPU. */
  readonly movable: boolean
}

/** One instance goes from one place to another; slots of its own GPU may be the other place. */
export interface SliceMove {
  readonly id: number
  readonly from: { readonly gpu: number; readonly slice: number }
  readonly to: { readonly gpu: number; readonly slice: number }
}

/** Instances that leave a GPU empty, and which. */
export interface Consolidation {
  readonly freed: number
  readonly moves: readonly SliceMove[]
}

/**
 * Moves after which one GPU stands empty: the `most` emptiest GPUs are cleared and their instances put back, largest first,
 * into the gaps of the others and onto all but one of the cleared. Fewest GPUs are tried first, since fewer instances move.
 * Undefined when none is found. Whether a freed GPU is worth its moves is the caller's to weigh.
 *
 * `fits` says whether an instance may go to a GPU at all (CPU of its node, affinity, reservations).
 */
export function consolidate(
  grid: Grid,
  gpus: readonly CutGpu[],
  values: Float64Array,
  most: number,
  fits: (id: number, gpu: number) => boolean = () => true,
): Consolidation | undefined {
  const held = (one: CutGpu): number => grid.taken[layoutOf(one.cell)] ?? 0
  const sorted = gpus.filter((one) => one.held.length > 0).sort((a, b) => held(a) - held(b))
  if (fewestGpus(maximalContents(grid), contentOf(grid, sorted)) >= sorted.length) return undefined
  const free = sorted.filter((one) => one.held.every(({ movable }) => movable))
  for (let count = 1; count <= Math.min(most, free.length); count++) {
    const cleared = free.slice(0, count)
    const moves = refill(grid, sorted, cleared, values, fits)
    if (moves) return { freed: (cleared.at(-1) as CutGpu).gpu, moves }
  }
  return undefined
}

const contentOf = (grid: Grid, gpus: readonly CutGpu[]): number[] => {
  const counts = grid.profiles.map(() => 0)
  for (const { held } of gpus)
    for (const { slice } of held) {
      const profile = profileOf(grid, slice)
      counts[profile] = (counts[profile] ?? 0) + 1
    }
  return counts
}

function refill(
  grid: Grid,
  all: readonly CutGpu[],
  cleared: readonly CutGpu[],
  values: Float64Array,
  fits: (id: number, gpu: number) => boolean,
): SliceMove[] | undefined {
  const pool = all
    .filter((one) => one !== cleared.at(-1))
    .map((one) => ({ gpu: one.gpu, cell: cleared.includes(one) ? EMPTY : one.cell }))
  const items = cleared
    .flatMap((from) => from.held.map((one) => ({ ...one, from: from.gpu, profile: profileOf(grid, one.slice) })))
    .sort((a, b) => (grid.weight[b.profile] ?? 0) - (grid.weight[a.profile] ?? 0) || b.profile - a.profile)
  const moves: SliceMove[] = []
  for (const item of items) {
    const place = tightest(grid, pool, item, values, fits)
    if (!place) return undefined
    place.target.cell = cellOf(place.to)
    if (place.target.gpu !== item.from || place.slice !== item.slice)
      moves.push({
        id: item.id,
        from: { gpu: item.from, slice: item.slice },
        to: { gpu: place.target.gpu, slice: place.slice },
      })
  }
  return moves
}

interface Target {
  readonly gpu: number
  cell: Cell
}

/** The fullest GPU that takes it; there the start after which the layout is worth the most. Its own place wins a tie. */
function tightest(
  { layouts, slices, taken }: Grid,
  pool: readonly Target[],
  item: { readonly id: number; readonly profile: number; readonly from: number; readonly slice: number },
  values: Float64Array,
  fits: (id: number, gpu: number) => boolean,
): { readonly target: Target; readonly slice: number; readonly to: number } | undefined {
  let best: { target: Target; slice: number; to: number; full: number; worth: number } | undefined
  for (const target of pool) {
    const layout = layoutOf(target.cell)
    const full = taken[layout] ?? 0
    if (best && full < best.full) continue
    for (const slice of slices[item.profile] ?? []) {
      const to = layouts.added[layout * layouts.slices.length + slice] ?? -1
      if (to < 0) continue
      const worth = (values[to] ?? 0) + (target.gpu === item.from && slice === item.slice ? 1e-3 : 0)
      if (best && full === best.full && worth <= best.worth) continue
      if (target.gpu !== item.from && !fits(item.id, target.gpu)) continue
      best = { target, slice, to, full, worth }
    }
  }
  return best
}

const profileOf = ({ slices }: Grid, slice: number): number => slices.findIndex((starts) => starts.includes(slice))
