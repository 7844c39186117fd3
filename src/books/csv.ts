/** A field of a CSV line (RFC 4180). A name that a spreadsheet would take for a formula is made text. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  return quoted(typeof value === 'string' && /^[=+@\t\r-]/.test(value) ? `'${value}` : String(value))
}

/** A figure as decimal text, which may begin with a minus. */
export const csvNumber = (value: string | null): string => quoted(value ?? '')

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
