import { mean, paired } from '../control/statistics.ts'
import { type Figure, figureNames, figures } from './trial.ts'

/** What one rule came to, run by run: of all rules the n-th run met the same arrivals. */
export interface Ruled {
  readonly rule: string
  readonly runs: readonly Readonly<Record<Figure, number>>[]
}

/** Rows of a table: the mean of each figure by rule, the best in bold; then how far the first rule is from the best of the others. */
export function rowsOf(ruled: readonly Ruled[]): string[][] {
  const best = Object.fromEntries(figureNames.map((name) => [name, bestOf(ruled, name)]))
  const rows = ruled.map((one) => [
    one.rule,
    ...figureNames.map((name) => {
      const text = mean(column(one, name)).toPrecision(4)
      return best[name] === one ? `**${text}**` : text
    }),
  ])
  const [first, ...others] = ruled
  if (!first || others.length === 0 || first.runs.length < 2) return rows
  return [...rows, [`*${first.rule} less the best other*`, ...figureNames.map((name) => beside(first, others, name))]]
}

/** The difference with the half-width of its interval; worse or better, where it is beyond it. */
function beside(first: Ruled, others: readonly Ruled[], name: Figure): string {
  const best = bestOf(others, name)
  const difference = paired(column(first, name), column(best, name))
  const gain = figures[name].better === 'less' ? -difference.mean : difference.mean
  const verdict = Math.abs(gain) <= difference.half ? 'equal' : gain > 0 ? 'better' : 'WORSE'
  return `${signed(difference.mean)} ± ${difference.half.toPrecision(2)} ${verdict} (${best.rule})`
}

const column = ({ runs }: Ruled, name: Figure): number[] => runs.map((run) => run[name])

function bestOf(ruled: readonly Ruled[], name: Figure): Ruled {
  const sign = figures[name].better === 'less' ? 1 : -1
  const [best] = ruled.toSorted((a, b) => sign * (mean(column(a, name)) - mean(column(b, name))))
  if (!best) throw new Error('a table has rows')
  return best
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toPrecision(2)}`
