import { fields, type Row, table } from './print.ts'

/** A statement made again; under other prices with a line for each model. */
export function rerateView({ lines, first_difference, ...head }: Row): string[] {
  const difference = first_difference ? ['', 'First difference', ...fields(first_difference as Row)] : []
  const rows = (lines ?? []) as readonly Row[]
  return [...fields(head), ...difference, ...(rows.length === 0 ? [] : ['', ...table(rows)])]
}
