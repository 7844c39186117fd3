import { dice, shuffle } from '../../lines/models/dice.ts'
import { type Cell, EMPTY, type Grid } from './cells.ts'
import type { Demand, Expected } from './demand.ts'
import { type Kind, kind, type NodeClass } from './kind.ts'
import { layoutValues, type Starts, starts } from './slots.ts'

/**
 * What is expected to come, prepared for valuing what is left: streams of demands as they might arrive, and the demands
 * that few places can hold.
 */
export interface Outlook {
  /** By class: what of each stream could run there. */
  readonly offers: readonly Offers[]
  readonly scarce: readonly Scarce[]
  /** Thousandths of GPUs that an arrival asks for on the mean. */
  readonly mean: number
  /** By class: what each MIG layout is worth, and where each profile is begun. */
  readonly slots: readonly (Slots | undefined)[]
}

/** Streams as one class of nodes meets them; demands that it does not accept are left out. */
export interface Offers {
  readonly kinds: readonly Kind[]
  /** Indices into `kinds`, each stream a likely sequence of arrivals. */
  readonly streams: readonly Int16Array[]
  /** Whoever has less CPU, or no GPU in a state of this or above, will not use a GPU any more. */
  readonly leastCpu: number
  readonly leastCell: Cell
}

export interface Slots {
  readonly values: Float64Array
  readonly begin: Starts
}

/** A demand that needs a place of its own sort, and the part of arrivals that are such. */
export interface Scarce {
  readonly kind: Kind
  readonly frequency: number
}

export interface OutlookConfig {
  /** Streams; more make values less noisy and decisions slower. */
  readonly streams: number
  /** Arrivals in each: enough to fill an empty node of eight GPUs twice over. */
  readonly length: number
  /**
   * Expected share of demands for 2, 4 and 8 whole GPUs beyond those that are known, since a mix never tells all. Without
   * it, large blocks that the mix does not name are broken up for nothing.
   */
  readonly blocks: number
  readonly seed: number
}

export const usualOutlook: OutlookConfig = { streams: 48, length: 30, blocks: 0.005, seed: 7 }

export function outlook(expected: readonly Expected[], classes: readonly NodeClass[], config: OutlookConfig): Outlook {
  const kinds = expected.map(({ demand }) => kind(demand, classes))
  const total = expected.reduce((sum, { frequency }) => sum + frequency, 0)
  const frequencies = expected.map(({ frequency }) => (total > 0 ? frequency / total : 0))
  const sizes = kinds.map(sizeOf)
  const known = kinds.flatMap((one, index) =>
    needsItsOwn(one, classes) ? [{ kind: one, frequency: frequencies[index] ?? 0 }] : [],
  )
  const arrivals = streams(frequencies, config)
  return {
    offers: classes.map((_, inClass) => offersOf(kinds, arrivals, inClass)),
    scarce: [...known, ...blocks(expected, classes, config)],
    mean: Math.max(
      1,
      sizes.reduce((sum, size, index) => sum + size * (frequencies[index] ?? 0), 0),
    ),
    slots: classes.map(({ grid }, inClass) => grid && slotsOf(grid, kinds, frequencies, inClass)),
  }
}

function offersOf(kinds: readonly Kind[], arrivals: readonly Int16Array[], inClass: number): Offers {
  const able = kinds.filter((one) => one.accepts[inClass] === 1 && one.gpus > 0)
  return {
    kinds,
    streams: arrivals.map((stream) => stream.filter((one) => kinds[one]?.accepts[inClass] === 1)),
    leastCpu: able.reduce((least, one) => Math.min(least, one.cpu), Number.POSITIVE_INFINITY),
    leastCell: able.reduce((least, one) => Math.min(least, one.least), EMPTY),
  }
}

/** Thousandths of GPUs where it takes the most of them: classes may differ by their MIG profiles. */
export const sizeOf = (one: Kind): number =>
  one.weight.reduce((most, size, inClass) => (one.accepts[inClass] ? Math.max(most, size) : most), 0)

/** Whole GPUs, half a GPU or more as one slice, or a chip of its choice: what smaller demands may leave no place for. */
const needsItsOwn = (one: Kind, classes: readonly NodeClass[]): boolean =>
  one.gpus > 0 &&
  (one.demand.gpu.kind === 'whole' ||
    one.demand.chips !== null ||
    (one.demand.gpu.kind === 'slice' && classes.some((_, inClass) => (one.weight[inClass] ?? 0) >= 500)))

/**
 * Each stream holds the demands in proportion (systematic sampling), in an order of chance: as few streams as these would
 * otherwise differ more by what they hold than by what they show.
 */
function streams(frequencies: readonly number[], { streams: count, length, seed }: OutlookConfig): Int16Array[] {
  if (frequencies.length === 0) return []
  const next = dice(seed)
  const sums = frequencies.map((_, index) => frequencies.slice(0, index + 1).reduce((sum, one) => sum + one, 0))
  const at = (share: number): number => {
    const found = sums.findIndex((sum) => sum >= share)
    return found < 0 ? frequencies.length - 1 : found
  }
  return Array.from({ length: count }, () => {
    const offset = next()
    const drawn = Array.from({ length }, (_, index) => at((index + offset) / length))
    return Int16Array.from(shuffle(drawn, next))
  })
}

/** Blocks of whole GPUs that might be asked for, with the CPU per GPU that is usual among those expected. */
function blocks(expected: readonly Expected[], classes: readonly NodeClass[], config: OutlookConfig): Scarce[] {
  if (config.blocks <= 0) return []
  let [cpu, gpus] = [0, 0]
  for (const { demand, frequency } of expected) {
    const size = sizeOf(kind(demand, classes))
    if (size > 0) cpu += frequency * demand.cpu_milli
    gpus += (frequency * size) / 1000
  }
  const each = gpus > 0 ? cpu / gpus : 0
  const demand = (count: number): Demand => ({
    cpu_milli: Math.round(count * each),
    memory_mib: 0,
    gpu: { kind: 'whole', gpus: count },
    chips: null,
  })
  return [2, 4, 8]
    .filter((count) => classes.some((one) => one.gpus >= count))
    .map((count) => ({ kind: kind(demand(count), classes), frequency: config.blocks }))
}

function slotsOf(grid: Grid, kinds: readonly Kind[], frequencies: readonly number[], inClass: number): Slots {
  const often = grid.profiles.map((_, profile) =>
    kinds.reduce((sum, one, index) => sum + (one.profile[inClass] === profile ? (frequencies[index] ?? 0) : 0), 0),
  )
  const slices = often.reduce((sum, one) => sum + one, 0)
  const values = layoutValues(grid, slices > 0 ? often.map((one) => one / slices) : often)
  return { values, begin: starts(grid, values) }
}
