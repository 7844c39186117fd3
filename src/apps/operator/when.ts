import { ControlError } from './errors.ts'

const unit_ms = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** A hundred years: beyond it a date is a slip of the keyboard. */
const longest_ms = 36_525 * 86_400_000

/** `90s`, `15m`, `12h`, `30d`, `2w` → milliseconds. */
export function durationMs(text: string, param: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text.trim()) ?? []
  const value = Number(count) * (unit_ms[unit as keyof typeof unit_ms] ?? Number.NaN)
  if (!(value > 0 && value <= longest_ms))
    throw new ControlError(
      'invalid_value',
      `${JSON.stringify(text.slice(0, 40))} is no duration such as 30d, 12h or 15m`,
      { param },
    )
  return value
}

/** A date, UTC unless it says otherwise: `2027-01-31`, `2027-01-31T12:00:00Z`. */
export function dateMs(text: string, param: string): number {
  const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/
  const zoned = /T/.test(text) && !/(Z|[+-]\d{2}:\d{2})$/.test(text) ? `${text}Z` : text
  const value = form.test(text) ? Date.parse(zoned) : Number.NaN
  // Date.parse takes 31 February for 3 March.
  const sameDay =
    !Number.isNaN(value) && new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(text.slice(0, 10))
  if (!sameDay)
    throw new ControlError('invalid_value', `${JSON.stringify(text.slice(0, 40))} is no date such as 2027-01-31`, {
      param,
    })
  return value
}

/** A date on a whole hour → the hour, counted from 1970. */
export function hourIn(text: string, param: string): number {
  const at_ms = dateMs(text, param)
  if (at_ms % unit_ms.h === 0) return at_ms / unit_ms.h
  throw new ControlError('invalid_value', `${text} is not at the beginning of an hour, UTC`, { param })
}

/** The first moment of its month, UTC. */
export function monthStartMs(at_ms: number): number {
  const at = new Date(at_ms)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth())
}

/** The first moment of the month after. */
export function monthEndMs(at_ms: number): number {
  const at = new Date(at_ms)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1)
}

/** When a key ends: so long from now, or a date. */
export const expiryMs = (text: string, now_ms: number): number =>
  /^\d+[a-z]$/.test(text.trim()) ? now_ms + durationMs(text, 'expires') : dateMs(text, 'expires')

export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
