import { EMPTY, type Grid } from './cells.ts'
import { maximalContents, slicePrices } from './cover.ts'

/** Offers of work to a GPU in the mean lifetime of an instance: gaps fill soon, as they do in a fleet that is nearly full. */
const OFFERS = 20

/** Instances bear the cost of their GPU when they fill this part of it: what good packing reaches. */
const FILLED = 0.96

/** What lies a mean lifetime ahead counts for 1 / (1 + this). */
const DISCOUNT = 0.3

/**
 * What each MIG layout is worth while instances come and go: the rent of its instances less the cost of the GPU, from now
 * until it stands empty again, in thousandths of a GPU times the mean lifetime of an instance.
 *
 * Each instance leaves at rate 1; demands of the mix are offered at rate λ, and one is taken where the layout after it is
 * worth more:
 *
 *     v(L) (δ + n + λ a) = Σ rent_i / 0.96 − 1000 + Σ v(L without i) + λ Σ f_p v(L with p)      a: part of the offers that is taken
 *
 * Rents are the prices at which covering the mix just pays for GPUs: by compute where that runs out first, else by memory.
 * So it counts that a lone instance keeps a whole GPU open, and that a gap which suits what is asked for often will not stay.
 * The empty GPU is worth 0. Solved by iteration, each value exactly for the others as they are; the states are few (723 on
 * the grid of 7 × 8). The three constants were tried on four mixes in steps of two and more: the result is flat around them.
 */
export function layoutValues(grid: Grid, frequencies: readonly number[]): Float64Array {
  const values = new Float64Array(grid.layouts.sets.length)
  const surplus = surplusOf(grid, frequencies)
  for (let round = 0, change = 1; round < 500 && change > 0.01; round++) {
    change = 0
    for (let state = values.length - 1; state > 0; state--) {
      const value = worthOf(grid, frequencies, values, state, surplus[state] as number)
      change = Math.max(change, Math.abs(value - (values[state] as number)))
      values[state] = value
    }
  }
  return values
}

/** What the instances of each layout pay beyond the GPU's cost. Profiles that are not expected count a little, too. */
function surplusOf(grid: Grid, frequencies: readonly number[]): Float64Array {
  const { y } = slicePrices(
    maximalContents(grid),
    grid.profiles.map((_, profile) => (frequencies[profile] ?? 0) + 0.002),
  )
  const rents = grid.layouts.slices.map((_, slice) => y[grid.slices.findIndex((one) => one.includes(slice))] ?? 0)
  return Float64Array.from(grid.layouts.sets, (set) => {
    const paid = rents.reduce((sum, rent, slice) => sum + ((set >> slice) & 1) * rent, 0)
    return EMPTY * (paid / FILLED - 1)
  })
}

function worthOf(
  grid: Grid,
  frequencies: readonly number[],
  values: Float64Array,
  state: number,
  surplus: number,
): number {
  const { removed, slices } = grid.layouts
  const from = state * slices.length
  let [sum, rate] = [surplus, DISCOUNT]
  for (let slice = 0; slice < slices.length; slice++) {
    const without = removed[from + slice] as number
    if (without < 0) continue
    sum += values[without] as number
    rate++
  }
  // Offers are taken from the best on while that raises the value; what is not taken changes nothing.
  const offers = frequencies
    .flatMap((often, profile) => (often > 0 ? { often, value: bestAfter(grid, values, state, profile) } : []))
    .sort((a, b) => b.value - a.value)
  for (const { often, value } of offers) {
    if (value * rate <= sum) break
    sum += OFFERS * often * value
    rate += OFFERS * often
  }
  return sum / rate
}

function bestAfter({ layouts, slices }: Grid, values: Float64Array, state: number, profile: number): number {
  let best = Number.NEGATIVE_INFINITY
  for (const slice of slices[profile] ?? []) {
    const to = layouts.added[state * layouts.slices.length + slice] as number
    if (to >= 0) best = Math.max(best, values[to] as number)
  }
  return best
}

/** Where to begin an instance: `layout · profiles + profile` → the layout with one more; -1 when none fits. */
export interface Starts {
  readonly table: Int16Array
  readonly profiles: number
}

/**
 * Begins each instance where the layout is worth the most after it. Left to a driver that takes the first free start, slots
 * come to be free that no profile can use.
 */
export function starts({ layouts, slices }: Grid, values: Float64Array): Starts {
  const { added, sets } = layouts
  const [width, count] = [layouts.slices.length, slices.length]
  const table = Int16Array.from({ length: sets.length * count }, (_, index) => {
    const from = Math.floor(index / count) * width
    let best = -1
    for (const slice of slices[index % count] ?? []) {
      const to = added[from + slice] ?? -1
      if (to >= 0 && (best < 0 || (values[to] as number) > (values[best] as number))) best = to
    }
    return best
  })
  return { table, profiles: count }
}

export const begun = ({ table, profiles }: Starts, layout: number, profile: number): number =>
  table[layout * profiles + profile] ?? -1
