import { stringify } from 'yaml'

export const formats = ['table', 'json', 'yaml'] as const
export type Format = (typeof formats)[number]

/** How a command shows its result to people: the rows of a table, or lines of text. */
export type View = (value: never) => readonly Row[] | readonly string[]
export type Row = Readonly<Record<string, unknown>>

/** A result → what goes to stdout. JSON and YAML hold all of it; the table what people look for. */
export function render(value: unknown, format: Format, view: View): string {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`
  if (format === 'yaml') return stringify(value)
  const shown = view(value as never)
  const lines = shown.every((line) => typeof line === 'string') ? shown : table(shown as readonly Row[])
  return lines.map((line) => `${line}\n`).join('')
}

/** Columns as wide as their longest cell, two spaces apart; the head is the rows' own names. */
export function table(rows: readonly Row[]): string[] {
  const [first] = rows
  if (!first) return []
  const names = Object.keys(first)
  const cells = [
    names.map((name) => name.toUpperCase().replaceAll('_', ' ')),
    ...rows.map((row) => names.map((name) => cell(row[name]))),
  ]
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)))
  return cells.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** One thing: a line a field. */
export function fields(thing: Row): string[] {
  const shown = Object.entries(thing).filter(([, value]) => value !== undefined)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.replaceAll('_', ' ').padEnd(width)}  ${cell(value)}`)
}

/** Control characters of a name or message must not reach a terminal. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(', ')
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return [...text].map((character) => (character < ' ' || character === '\x7f' ? ' ' : character)).join('')
}
