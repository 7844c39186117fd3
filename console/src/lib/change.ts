import type { Change } from './contract.ts'

/** What a line of the log changed, as `field: before → after`. */
export function changed({ before, after }: Pick<Change, 'before' | 'after'>): string {
  if (!before || !after) return before ? 'removed' : after ? 'made' : 'done'
  return Object.keys(after)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => `${field}: ${said(before[field])} → ${said(after[field])}`)
    .join(', ')
}

const said = (value: unknown): string => (value === null || value === undefined ? 'none' : String(value))
