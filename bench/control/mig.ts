/**
 * B3, MIG packing: GPUs needed while slices of an H200 come and go, against the fewest that could hold them.
 *
 * Slices arrive at random, stay for a while (a fifth of them six times as long as the rest) and leave; there are always
 * GPUs enough. Counted is the mean number of GPUs that hold something, over the bound of the same moments: the linear
 * relaxation of covering the live slices with maximal layouts, rounded up, which no packing can be below.
 */
import {
  cellOf,
  EMPTY,
  type Grid,
  gridOf,
  layoutOf,
  sliceBetween,
  withoutSlice,
} from '../../src/control/place/cells.ts'
import { type CutGpu, consolidate } from '../../src/control/place/consolidate.ts'
import { fewestGpus, maximalContents } from '../../src/control/place/cover.ts'
import type { Demand } from '../../src/control/place/demand.ts'
import type { NodeClass } from '../../src/control/place/kind.ts'
import { outlook, usualOutlook } from '../../src/control/place/outlook.ts'
import { Placer } from '../../src/control/place/placer.ts'
import { layoutValues } from '../../src/control/place/slots.ts'
import { withoutMedia } from '../../src/plant/chips/mig/geometry.ts'
import { layoutsOf, slotsOf } from '../../src/plant/chips/mig/layouts.ts'
import { findMig } from '../../src/plant/chips/mig/tables.ts'
import { dice } from '../dice.ts'
import { paired } from './statistics.ts'

const seeds = Array.from({ length: 10 }, (_, index) => index + 1)
const EVENTS = 12_000
/** The first third only fills. */
const COUNTED = EVENTS / 3
const EVERY = 40
const NODES = 80
const GPUS = NODES * 8
/** Instances are so many that they fill about this many GPUs. */
const FILLED = 140

/** Shares of 1g, 1g with double memory, 2g, 3g, 4g and 7g among arrivals. */
const mixes: Readonly<Record<string, readonly number[]>> = {
  small: [0.5, 0.15, 0.2, 0.1, 0.03, 0.02],
  even: [0.25, 0.15, 0.2, 0.2, 0.1, 0.1],
  large: [0.15, 0.1, 0.15, 0.3, 0.15, 0.15],
  'no double 1g, no 4g': [0.4, 0, 0.3, 0.2, 0, 0.1],
}

interface Live {
  readonly id: number
  readonly profile: number
  gpu: number
  slice: number
}

/** Someone who says where slices go: cells of all GPUs are what it may look at, and it may move what stands. */
interface Packing {
  readonly name: string
  readonly moves: number
  arrive(one: Live): void
  leave(one: Live): void
  used(): number
}

export function mig(): boolean {
  const geometry = findMig('H200-141GB')
  const layouts = geometry && layoutsOf(withoutMedia(geometry))
  if (!layouts) throw new Error('there is no geometry of the H200')
  const grid = gridOf(layouts)
  const contents = maximalContents(grid)
  return Object.entries(mixes)
    .map(([name, mix]) => judge(name, mix, grid, contents))
    .every((met) => met)
}

function judge(name: string, mix: readonly number[], grid: Grid, contents: readonly (readonly number[])[]): boolean {
  const kinds: readonly ((grid: Grid) => Packing)[] = [
    () => simple(grid, 'first-fit', firstFit),
    () => simple(grid, 'best-fit', bestFit),
    () => simple(grid, 'slot-FGD', slotFgd(grid, mix)),
    () => ours(grid, mix, 0),
    () => ours(grid, mix, 3),
  ]
  console.log(`\nB3 MIG packing on H200, mix ${name}: GPUs needed over the bound, mean of ${seeds.length} seeds`)
  const results = kinds.map((make) => seeds.map((seed) => play(make(grid), mix, grid, contents, seed)))
  for (const runs of results) {
    const [first] = runs
    if (!first) continue
    const average = (of: (run: Run) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length
    console.log(
      `${first.name.padEnd(24)}${average((run) => run.used)
        .toFixed(1)
        .padStart(
          7,
        )} GPUs  bound ${average((run) => run.bound).toFixed(1)}  +${percent(average(over)).padStart(5)} %  ${average((run) => run.moves).toFixed(2)} moves an arrival`,
    )
  }
  const [, , fgd = [], still = [], moving = []] = results
  const gain = paired(fgd.map(over), still.map(over))
  const within = moving.reduce((sum, run) => sum + over(run), 0) / moving.length
  console.log(
    `slot-FGD − ours, both without moves: ${percent(gain.mean)} ± ${percent(gain.half)} points; ours with moves is within ${percent(within)} % of the bound`,
  )
  return within <= 0.02
}

interface Run {
  readonly name: string
  readonly used: number
  readonly bound: number
  readonly moves: number
}
const over = ({ used, bound }: Run): number => used / bound - 1
const percent = (share: number): string => (100 * share).toFixed(2)

function play(
  packing: Packing,
  mix: readonly number[],
  grid: Grid,
  contents: readonly (readonly number[])[],
  seed: number,
): Run {
  const chance = dice(seed)
  const exponential = (mean: number): number => -mean * Math.log(1 - chance.next())
  const size = mix.reduce((sum, share, profile) => sum + share * (grid.weight[profile] ?? 0), 0) / EMPTY
  const rate = FILLED / size
  const counts = mix.map(() => 0)
  const leaving: { readonly at: number; readonly one: Live }[] = []
  let [next, made, samples, used, bound] = [exponential(1 / rate), 0, 0, 0, 0]
  for (let event = 0; event < EVENTS; event++) {
    const first = leaving.reduce((least, { at }, index) => (at < (leaving[least]?.at ?? 0) ? index : least), 0)
    const leaver = leaving[first]
    if (leaver && leaver.at < next) {
      leaving[first] = leaving.at(-1) as typeof leaver
      leaving.pop()
      counts[leaver.one.profile] = (counts[leaver.one.profile] ?? 0) - 1
      packing.leave(leaver.one)
    } else {
      const profile = drawn(mix, chance.next())
      const one: Live = { id: made++, profile, gpu: -1, slice: -1 }
      packing.arrive(one)
      counts[profile] = (counts[profile] ?? 0) + 1
      leaving.push({ at: next + exponential(chance.next() < 0.2 ? 3 : 0.5), one })
      next += exponential(1 / rate)
    }
    if (event < COUNTED || event % EVERY !== 0) continue
    samples++
    used += packing.used()
    bound += fewestGpus(contents, counts)
  }
  return { name: packing.name, used: used / samples, bound: bound / samples, moves: packing.moves / made }
}

function drawn(mix: readonly number[], at: number): number {
  let left = at
  for (const [index, share] of mix.entries()) {
    if (left < share) return index
    left -= share
  }
  return mix.findLastIndex((share) => share > 0)
}

/** Layouts of all GPUs, the rule that picks the GPU and the start. */
type Rule = (layouts: Int16Array, profile: number, grid: Grid) => { readonly gpu: number; readonly slice: number }

function simple(grid: Grid, name: string, rule: Rule): Packing {
  const layouts = new Int16Array(GPUS)
  const width = grid.layouts.slices.length
  return {
    name,
    moves: 0,
    arrive: (one) => {
      const { gpu, slice } = rule(layouts, one.profile, grid)
      one.gpu = gpu
      one.slice = slice
      layouts[gpu] = grid.layouts.added[(layouts[gpu] as number) * width + slice] as number
    },
    leave: ({ gpu, slice }) => {
      layouts[gpu] = grid.layouts.removed[(layouts[gpu] as number) * width + slice] as number
    },
    used: () => layouts.reduce((sum, layout) => sum + (layout === 0 ? 0 : 1), 0),
  }
}

const legalSlices = ({ layouts, slices }: Grid, layout: number, profile: number): number[] =>
  (slices[profile] ?? []).filter((slice) => (layouts.added[layout * layouts.slices.length + slice] ?? -1) >= 0)

/** The first GPU and its first start, as the driver takes it. */
const firstFit: Rule = (layouts, profile, grid) => {
  for (const [gpu, layout] of layouts.entries()) {
    const [slice] = legalSlices(grid, layout, profile)
    if (slice !== undefined) return { gpu, slice }
  }
  throw new Error('no GPU is left')
}

/** The fullest GPU that takes it, its first start. */
const bestFit: Rule = (layouts, profile, grid) => {
  let [best, found] = [-1, { gpu: -1, slice: -1 }]
  for (const [gpu, layout] of layouts.entries()) {
    const full = grid.taken[layout] as number
    const [slice] = full > best ? legalSlices(grid, layout, profile) : []
    if (slice === undefined) continue
    best = full
    found = { gpu, slice }
  }
  return found
}

/**
 * FGD carried over to slots: a free slot is fragment for a profile that has no legal start over it. Empty GPUs are opened
 * only when no other takes the slice; without that it needs half as many GPUs again, since opening costs it little.
 */
function slotFgd({ layouts, slices }: Grid, mix: readonly number[]): Rule {
  const width = layouts.slices.length
  const fragments = Float64Array.from(layouts.sets, (_, state) =>
    mix.reduce((sum, share, profile) => {
      const usable = (slices[profile] ?? []).reduce((mask, slice) => {
        const one = layouts.slices[slice]
        return one && (layouts.added[state * width + slice] as number) >= 0 ? mask | slotsOf(one) : mask
      }, 0)
      const free = ~(layouts.slots[state] as number) & 255
      return sum + share * bits(free & ~usable)
    }, 0),
  )
  return (all, profile, grid) => {
    let [least, found] = [Number.POSITIVE_INFINITY, { gpu: -1, slice: -1 }]
    for (const [gpu, layout] of all.entries()) {
      if (layout === 0 && least < Number.POSITIVE_INFINITY) continue
      for (const slice of legalSlices(grid, layout, profile)) {
        const after = layouts.added[layout * width + slice] as number
        const grown = (fragments[after] as number) - (fragments[layout] as number) + (layout === 0 ? 1000 : 0)
        if (grown >= least - 1e-12) continue
        least = grown
        found = { gpu, slice }
      }
    }
    return found
  }
}

function bits(mask: number): number {
  let count = 0
  for (let left = mask; left > 0; left >>= 1) count += left & 1
  return count
}

/** The placement that ships, on nodes of eight GPUs; after each departure it may move what stands, if `most` is not 0. */
function ours(grid: Grid, mix: readonly number[], most: number): Packing {
  const classes: NodeClass[] = [{ chip: 'h200', gpus: 8, grid }]
  const nodes = Array.from({ length: NODES }, () => ({ inClass: 0, cpu_milli: 1_000_000, memory_mib: 1_000_000 }))
  const demands = grid.profiles.map(
    (profile): Demand => ({ cpu_milli: 0, memory_mib: 0, gpu: { kind: 'slice', profile }, chips: null }),
  )
  const expected = demands.map((demand, profile) => ({ demand, frequency: mix[profile] ?? 0 }))
  const placer = new Placer(classes, nodes, outlook(expected, classes, usualOutlook))
  const values = layoutValues(grid, mix)
  const held = new Map<number, Set<Live>>()
  const cellAt = (gpu: number): number => placer.gpus(gpu >> 3)[gpu & 7] as number
  const set = (one: Live, to: number): void => {
    placer.takeGpus(demands[one.profile] as Demand, one.gpu >> 3, [one.gpu & 7], to)
  }
  const enter = (one: Live): void => {
    set(one, cellOf(grid.layouts.added[layoutOf(cellAt(one.gpu)) * grid.layouts.slices.length + one.slice] as number))
    held.set(one.gpu, (held.get(one.gpu) ?? new Set()).add(one))
  }
  const exit = (one: Live): void => {
    set(one, withoutSlice(grid, cellAt(one.gpu), one.slice) as number)
    held.get(one.gpu)?.delete(one)
    if (held.get(one.gpu)?.size === 0) held.delete(one.gpu)
  }
  let moves = 0
  const tidy = (): void => {
    const gpus = [...held].map(
      ([gpu, live]): CutGpu => ({
        gpu,
        cell: cellAt(gpu),
        held: [...live].map(({ id, slice }) => ({ id, slice, movable: true })),
      }),
    )
    const plan = consolidate(grid, gpus, values, most)
    if (!plan) return
    const byId = new Map([...held.values()].flatMap((live) => [...live].map((one) => [one.id, one])))
    const movers = plan.moves.map((move) => ({ one: byId.get(move.id) as Live, to: move.to }))
    for (const { one } of movers) exit(one)
    for (const { one, to } of movers) {
      one.gpu = to.gpu
      one.slice = to.slice
      enter(one)
    }
    moves += movers.length
  }
  return {
    name: most > 0 ? 'ours, with repartition' : 'ours',
    get moves() {
      return moves
    },
    arrive: (one) => {
      const choice = placer.choose(demands[one.profile] as Demand)
      if (!choice) throw new Error('no GPU is left')
      const { node, gpus } = placer.take(demands[one.profile] as Demand, choice)
      one.gpu = node * 8 + (gpus[0] as number)
      one.slice = sliceBetween(grid, choice.move.from, choice.move.to) as number
      held.set(one.gpu, (held.get(one.gpu) ?? new Set()).add(one))
    },
    leave: (one) => {
      exit(one)
      if (most > 0) tidy()
    },
    used: () => held.size,
  }
}
