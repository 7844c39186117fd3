import { assert } from '../../../units/assert.ts'
import { holdsMedia, type MigGeometry, type MigProfile } from './geometry.ts'

/** One way to put one instance onto the grid. */
export interface Slice {
  readonly profile: MigProfile
  readonly start: number
}

/**
 * Every legal layout of a GPU model, as a graph: a state is a set of slices, an edge puts one more on. There are 723 states
 * without the media engines on the grid of 7 × 8, so everything that placement asks is worked out once and then looked up.
 */
export interface Layouts {
  readonly geometry: MigGeometry
  readonly slices: readonly Slice[]
  /** Bit `i` of a state's set: slice `i` is there. State 0 is the empty GPU. */
  readonly sets: Int32Array
  /** Bit `i`: memory slot `i` is taken. */
  readonly slots: Int32Array
  readonly compute: Int32Array
  /** `state · slices + slice` → the state with that slice added; -1 when it is not legal. */
  readonly added: Int32Array
  /** `state · slices + slice` → the state without it; -1 when it is not there. */
  readonly removed: Int32Array
}

const known = new WeakMap<MigGeometry, Layouts>()

/** Layouts of a GPU model; undefined when a start of one of its profiles is unknown. */
export function layoutsOf(geometry: MigGeometry): Layouts | undefined {
  const held = known.get(geometry)
  if (held) return held
  if (geometry.profiles.some((profile) => profile.starts === null)) return undefined
  const made = enumerate(geometry)
  known.set(geometry, made)
  return made
}

function enumerate(geometry: MigGeometry): Layouts {
  const slices = geometry.profiles.flatMap((profile) => (profile.starts ?? []).map((start) => ({ profile, start })))
  assert(slices.length < 31, 'a set of slices fits into 31 bits')
  const sets = [0]
  const states = new Map([[0, 0]])
  for (let at = 0; at < sets.length; at++) {
    for (let slice = 0; slice < slices.length; slice++) {
      const larger = (sets[at] ?? 0) | (1 << slice)
      if (states.has(larger) || !legal(geometry, members(slices, larger))) continue
      states.set(larger, sets.length)
      sets.push(larger)
    }
  }
  const edge = (state: number, slice: number, there: boolean): number => {
    const set = sets[state] ?? 0
    return ((set >> slice) & 1) === (there ? 1 : 0) ? (states.get(set ^ (1 << slice)) ?? -1) : -1
  }
  const edges = (there: boolean): Int32Array =>
    Int32Array.from({ length: sets.length * slices.length }, (_, index) =>
      edge(Math.floor(index / slices.length), index % slices.length, there),
    )
  const each = (of: (slices: readonly Slice[]) => number): Int32Array =>
    Int32Array.from(sets, (set) => of(members(slices, set)))
  return {
    geometry,
    slices,
    sets: Int32Array.from(sets),
    slots: each((held) => held.reduce((mask, slice) => mask | slotsOf(slice), 0)),
    compute: each((held) => held.reduce((sum, { profile }) => sum + profile.computeSlices, 0)),
    added: edges(false),
    removed: edges(true),
  }
}

/** Memory slots that a slice takes, as bits. */
export const slotsOf = ({ profile, start }: Slice): number => ((1 << profile.memorySlices) - 1) << start

const members = (slices: readonly Slice[], set: number): Slice[] => slices.filter((_, index) => (set >> index) & 1)

/** Whether slices may stand together on one GPU; the rules are those at `MigGeometry`. */
export function legal(geometry: MigGeometry, slices: readonly Slice[]): boolean {
  let [taken, compute, media] = [0, 0, 0]
  const counts = new Map<MigProfile, number>()
  for (const slice of slices) {
    const slots = slotsOf(slice)
    if (taken & slots || !slice.profile.starts?.includes(slice.start)) return false
    taken |= slots
    compute += slice.profile.computeSlices
    if (holdsMedia(slice.profile)) media++
    const count = (counts.get(slice.profile) ?? 0) + 1
    if (count > slice.profile.maxInstances) return false
    counts.set(slice.profile, count)
  }
  return compute <= geometry.computeSlices && media <= 1
}

/** The slices of a state. */
export const slicesOf = (layouts: Layouts, state: number): Slice[] => members(layouts.slices, layouts.sets[state] ?? 0)

/** The state of a set of slices; undefined when they are not legal together. */
export function stateOf(layouts: Layouts, slices: readonly Slice[]): number | undefined {
  let state = 0
  for (const slice of slices) {
    const index = layouts.slices.findIndex((one) => one.profile === slice.profile && one.start === slice.start)
    state = index < 0 ? -1 : (layouts.added[state * layouts.slices.length + index] ?? -1)
    if (state < 0) return undefined
  }
  return state
}

/** Nothing more fits. */
export function isMaximal(layouts: Layouts, state: number): boolean {
  const from = state * layouts.slices.length
  return layouts.added.subarray(from, from + layouts.slices.length).every((to) => to < 0)
}
