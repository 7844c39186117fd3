import type { CostAnswer } from '../../books/cost-answer.ts'
import { fields, type Row, table } from './print.ts'

/** A partition, from its parts to its total, and what follows from it. */
export function costView(answer: CostAnswer): string[] {
  const { classes, waste, idle, overhead, sources, rows, by, figures, ...head } = answer
  const part = (title: string, lines: readonly object[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...table(lines as readonly Row[])]
  return [
    ...fields(head),
    ...part(
      'Usage, by class of token',
      classes
        .filter(({ tokens, usd }) => tokens > 0 || usd !== '0')
        .map(({ usd_per_mtoken, ...line }) => ({ ...line, usd_per_mtoken: rounded(usd_per_mtoken.value) })),
    ),
    ...part(`Usage, by ${by}`, rows),
    ...part('Waste, by cause', waste),
    ...part('Idle, by account', idle),
    ...part('Overhead', overhead),
    ...part('Where it comes from', sources),
    ...part(
      'Figures',
      Object.entries(figures).map(([name, { value, unit, source }]) => ({ name, value: rounded(value), unit, source })),
    ),
  ]
}

const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(5)))
