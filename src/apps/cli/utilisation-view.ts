import type { UtilisationAnswer } from '../../books/utilisation.ts'
import { table } from './print.ts'

/** What is known of nobody is no column; why something is not known stands below. */
export function utilisationView({ from, to, by, rows }: UtilisationAnswer): string[] {
  const named = ['busy_share', 'busy_s', 'chip_s', 'mfu', 'mbu', 'kv_gb_s'] as const
  const known = named.filter((name) => rows.some(({ figures }) => figures[name].value !== null))
  const why = [...new Set(rows.flatMap((line) => line.why))]
  return [
    `${from} to ${to}, by ${by}; estimated, MFU and MBU of the time at work`,
    ...table(
      rows.map(({ name, figures }) => ({
        name,
        ...Object.fromEntries(known.map((column) => [column, rounded(figures[column].value)])),
      })),
    ),
    ...why.map((reason) => `not known: ${reason}`),
  ]
}

const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(5)))
