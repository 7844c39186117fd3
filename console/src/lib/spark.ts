/** Paths of a small line and the area below it, from zero; a value that is not known leaves a gap. */
export function sparkPath(
  values: readonly (number | null)[],
  width: number,
  height: number,
): { readonly line: string; readonly area: string } {
  const most = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0)
  const x = (index: number): number => round((index / Math.max(1, values.length - 1)) * width)
  const y = (value: number): number => round(height - 1 - (most > 0 ? value / most : 0) * (height - 3))
  const pieces = runs(values).map((run) => run.map(([index, value]) => `${x(index)} ${y(value)}`))
  return {
    line: pieces.map((points) => `M${points.join('L')}`).join(''),
    area: runs(values)
      .map((run, at) => {
        const [from, to] = [x(run[0]?.[0] ?? 0), x(run.at(-1)?.[0] ?? 0)]
        return `M${from} ${height}L${pieces[at]?.join('L') ?? ''}L${to} ${height}Z`
      })
      .join(''),
  }
}

/** What follows on each other without a gap. */
function runs(values: readonly (number | null)[]): (readonly [number, number])[][] {
  const found: (readonly [number, number])[][] = []
  values.forEach((value, index) => {
    if (value === null) return
    if (index > 0 && values[index - 1] !== null) found.at(-1)?.push([index, value])
    else found.push([[index, value]])
  })
  return found
}

const round = (value: number): number => Math.round(value * 10) / 10
