import { isMaximal } from '../../plant/chips/mig/layouts.ts'
import { assert } from '../../units/assert.ts'
import type { Grid } from './cells.ts'

/** What a GPU can hold, as counts by profile. */
export type Content = readonly number[]

const known = new WeakMap<Grid, readonly Content[]>()

/** What maximal layouts hold, each content once: 38 on the grid of 7 × 8. */
export function maximalContents(grid: Grid): readonly Content[] {
  const held = known.get(grid)
  if (held) return held
  const { layouts, slices } = grid
  const contents = new Map<string, readonly number[]>()
  layouts.sets.forEach((set, state) => {
    if (!isMaximal(layouts, state)) return
    const counts = slices.map((starts) => starts.filter((slice) => (set >> slice) & 1).length)
    contents.set(counts.join(), counts)
  })
  const made = [...contents.values()]
  known.set(grid, made)
  return made
}

/** No packing needs fewer GPUs: min Σ x with Σ x_c content_c ≥ demand, x real, rounded up. */
export const fewestGpus = (contents: readonly Content[], demand: readonly number[]): number =>
  Math.max(0, Math.ceil(slicePrices(contents, demand).value - 1e-6))

/**
 * What an instance of each profile is worth in GPUs when demands come in these proportions. It is the dual of covering: max demand · y with content · y ≤ 1 for each content, y ≥ 0. It starts feasible at y = 0, and has one column per
 * profile, so a plain tableau with Bland's rule (least index enters and leaves: never cycles) does.
 */
export function slicePrices(
  contents: readonly Content[],
  demand: readonly number[],
): { readonly value: number; readonly y: readonly number[] } {
  const [rows, width] = [contents.length, demand.length]
  const last = width + rows
  const table = contents.map((content, row) =>
    Float64Array.from({ length: last + 1 }, (_, column) =>
      column < width ? (content[column] ?? 0) : column === last || column - width === row ? 1 : 0,
    ),
  )
  const goal = Float64Array.from({ length: last + 1 }, (_, column) => (column < width ? -(demand[column] ?? 0) : 0))
  const basis = contents.map((_, row) => width + row)
  for (;;) {
    const enters = goal.findIndex((cost, column) => column < last && cost < -1e-9)
    if (enters < 0) break
    const leaves = leaving(table, basis, enters, last)
    pivot(table, goal, leaves, enters)
    basis[leaves] = enters
  }
  const y = Array.from({ length: width }, (_, column) => table[basis.indexOf(column)]?.[last] ?? 0)
  return { value: goal[last] as number, y }
}

function leaving(table: readonly Float64Array[], basis: readonly number[], enters: number, last: number): number {
  let [best, least] = [-1, Number.POSITIVE_INFINITY]
  table.forEach((row, index) => {
    const slope = row[enters] as number
    if (slope < 1e-9) return
    const ratio = (row[last] as number) / slope
    if (ratio > least + 1e-12) return
    if (ratio > least - 1e-12 && (basis[index] as number) > (basis[best] as number)) return
    best = index
    least = ratio
  })
  assert(best >= 0, 'no slice costs more than a GPU')
  return best
}

function pivot(table: readonly Float64Array[], goal: Float64Array, leaves: number, enters: number): void {
  const row = table[leaves] as Float64Array
  const by = row[enters] as number
  for (let column = 0; column < row.length; column++) row[column] = (row[column] as number) / by
  for (const other of [...table, goal]) {
    const factor = other === row ? 0 : (other[enters] as number)
    if (factor === 0) continue
    for (let column = 0; column < row.length; column++)
      other[column] = (other[column] as number) - factor * (row[column] as number)
  }
}
