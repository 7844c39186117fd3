import type { Layouts } from '../../plant/chips/mig/layouts.ts'

/**
 * The state of one GPU as one small number, so that a node is a handful of them.
 *
 * 0 to 1000: thousandths free of a GPU that is used whole or in shares; 1000 is empty, and MIG mode may be switched on.
 * Above 1000: 1000 + the state in its graph of MIG layouts.
 */
export type Cell = number

export const EMPTY: Cell = 1000
export const FULL: Cell = 0

/** Layout state of a cell; the empty GPU is the empty layout. */
export const layoutOf = (cell: Cell): number => (cell > EMPTY ? cell - EMPTY : 0)
export const cellOf = (layout: number): Cell => EMPTY + layout

/** What follows from a MIG geometry for placement: worked out once per geometry. */
export interface Grid {
  readonly layouts: Layouts
  readonly profiles: readonly string[]
  /** Slices (starts) of each profile. */
  readonly slices: readonly (readonly number[])[]
  /** Thousandths of the GPU's memory slots that a profile takes. */
  readonly weight: readonly number[]
  /** Thousandths taken, by layout. */
  readonly taken: Int16Array
  /** `layout · profiles + profile` → how many more of it fit at once. */
  readonly room: Int8Array
}

const known = new WeakMap<Layouts, Grid>()

export function gridOf(layouts: Layouts): Grid {
  const held = known.get(layouts)
  if (held) return held
  const { geometry } = layouts
  const profiles = geometry.profiles.map((profile) => profile.name)
  const slices = geometry.profiles.map((profile) =>
    layouts.slices.flatMap((slice, index) => (slice.profile === profile ? index : [])),
  )
  const weight = geometry.profiles.map((profile) => Math.round((1000 * profile.memorySlices) / geometry.memorySlices))
  const sizes = layouts.slices.map(({ profile }) => weight[geometry.profiles.indexOf(profile)] ?? 0)
  const taken = Int16Array.from(layouts.sets, (set) =>
    sizes.reduce((sum, size, bit) => sum + ((set >> bit) & 1) * size, 0),
  )
  const made: Grid = { layouts, profiles, slices, weight, taken, room: roomTable(layouts, slices) }
  known.set(layouts, made)
  return made
}

/** States are numbered from small to large sets, so the larger ones are known when the smaller are asked. */
function roomTable({ added, sets, slices: { length: width } }: Layouts, slices: Grid['slices']): Int8Array {
  const room = new Int8Array(sets.length * slices.length)
  for (let state = sets.length - 1; state >= 0; state--)
    for (const [profile, starts] of slices.entries())
      for (const slice of starts) {
        const to = added[state * width + slice] ?? -1
        if (to < 0) continue
        const at = state * slices.length + profile
        room[at] = Math.max(room[at] ?? 0, 1 + (room[to * slices.length + profile] ?? 0))
      }
  return room
}

/** Thousandths of a GPU that nothing holds. */
export const freeOf = (cell: Cell, grid: Grid | undefined): number =>
  cell <= EMPTY ? cell : EMPTY - (grid?.taken[layoutOf(cell)] ?? 0)

/** The slice that `to` has and `from` lacks; undefined when they do not differ by one. */
export function sliceBetween({ layouts }: Grid, from: Cell, to: Cell): number | undefined {
  const [less, more] = [layouts.sets[layoutOf(from)] ?? 0, layouts.sets[layoutOf(to)] ?? 0]
  const found = layouts.slices.findIndex((_, slice) => (less | (1 << slice)) === more && less !== more)
  return found < 0 ? undefined : found
}

/** A GPU's state with one slice more, or one less; undefined when that is not legal. */
export function withSlice(grid: Grid, cell: Cell, slice: number): Cell | undefined {
  const to = grid.layouts.added[layoutOf(cell) * grid.layouts.slices.length + slice] ?? -1
  return to < 0 || cell < EMPTY ? undefined : cellOf(to)
}

export function withoutSlice(grid: Grid, cell: Cell, slice: number): Cell | undefined {
  const to = grid.layouts.removed[layoutOf(cell) * grid.layouts.slices.length + slice] ?? -1
  return to < 0 ? undefined : cellOf(to)
}
