import { assert } from '../../units/assert.ts'

/** Columns at most: all 2^n sets of them are tried. */
const mostColumns = 10
/** Pivots below this share of a unit diagonal: the column is a sum of the others, to rounding. */
const singular = 1e-10

/**
 * Non-negative least squares: the x ≥ 0 that makes xᵀGx − 2 mᵀx least, with G = AᵀWA and m = AᵀWb.
 *
 * The best x is the ordinary solution over the columns in which it is positive. There are few columns, so every set of them is
 * solved and the best that came out non-negative is taken: exact, and there is no path of pivots that could go in circles.
 * Where columns depend on each other, one of the equally good sets is taken.
 */
export function nonNegative(gram: readonly (readonly number[])[], moment: readonly number[]): number[] {
  const n = moment.length
  assert(n <= mostColumns, 'few columns')
  const scale = gram.map((row, at) => (Number(row[at]) > 0 ? Math.sqrt(Number(row[at])) : 0))
  const g = gram.map((row, i) => row.map((value, j) => value / ((scale[i] || 1) * (scale[j] || 1))))
  const m = moment.map((value, i) => value / (scale[i] || 1))

  let best: { cost: number; x: readonly number[]; set: readonly number[] } = { cost: 0, x: [], set: [] }
  for (let bits = 1; bits < 2 ** n; bits++) {
    const set = scale.flatMap((size, at) => ((bits >> at) & 1 && size > 0 ? [at] : []))
    const x = solve(
      set.map((i) => set.map((j) => g[i]?.[j] ?? 0)),
      set.map((i) => m[i] ?? 0),
    )
    if (!x || x.some((value) => value < 0)) continue
    const cost = -set.reduce((sum, i, at) => sum + (m[i] ?? 0) * (x[at] ?? 0), 0) // at a set's solution xᵀGx = mᵀx
    if (cost < best.cost) best = { cost, x, set }
  }
  const whole = new Array<number>(n).fill(0)
  best.set.forEach((at, index) => {
    whole[at] = (best.x[index] ?? 0) / (scale[at] || 1)
  })
  return whole
}

/** Solves Gx = m for a symmetric positive matrix by Gauss-Jordan; undefined where it has no one solution. */
export function solve(gram: readonly (readonly number[])[], moment: readonly number[]): number[] | undefined {
  const rows = gram.map((row, at) => [...row, moment[at] ?? 0])
  for (let at = 0; at < rows.length; at++) {
    const pivot = rows[at]
    const value = pivot?.[at] ?? 0
    if (!pivot || !(value > singular)) return undefined
    for (let column = at; column < pivot.length; column++) pivot[column] = (pivot[column] ?? 0) / value
    for (const row of rows) {
      if (row === pivot) continue
      const factor = row[at] ?? 0
      for (let column = at; column < row.length; column++)
        row[column] = (row[column] ?? 0) - factor * (pivot[column] ?? 0)
    }
  }
  return rows.map((row) => row.at(-1) ?? 0)
}
