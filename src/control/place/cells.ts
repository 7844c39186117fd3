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

const known = new Map<Layouts, Grid>()

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

/** Where to begin an instance: `layout · profiles + profile` → the layout with one more; -1 when none fits. */
export interface Starts {
  readonly table: Int16Array
  readonly profiles: number
}

export const begun = ({ table, profiles }: Starts, layout: number, profile: number): number =>
  table[layout * profiles + profile] ?? -1

/**
 * Begins each instance so that the most stays possible of what is expected: Σ importance · room over profiles. Left to a
 * driver that takes the first free start, slots come to be free that no profile can use.
 */
export function starts({ layouts, slices, room }: Grid, importance: readonly number[]): Starts {
  const { added, sets } = layouts
  const [width, count] = [layouts.slices.length, slices.length]
  const left = Float64Array.from(sets, (_, state) =>
    importance.reduce((sum, each, profile) => sum + each * (room[state * count + profile] ?? 0), 0),
  )
  const table = Int16Array.from({ length: sets.length * count }, (_, index) => {
    const from = Math.floor(index / count) * width
    let best = -1
    for (const slice of slices[index % count] ?? []) {
      const to = added[from + slice] ?? -1
      if (to >= 0 && (best < 0 || (left[to] ?? 0) > (left[best] ?? 0))) best = to
    }
    return best
  })
  return { table, profiles: count }
}

/** Thousandths of a GPU that nothing holds. */
export const freeOf = (cell: Cell, grid: Grid | undefined): number =>
  cell <= EMPTY ? cell : EMPTY - (grid?.taken[layoutOf(cell)] ?? 0)
