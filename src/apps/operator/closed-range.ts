import Type from 'typebox'
import { closedHours } from '../../adapters/sqlite/costs/answer.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import { ControlError } from './errors.ts'
import type { Factory } from './factory.ts'
import { dateMs, isoOrNull, monthStartMs } from './when.ts'

export const rangeInput = {
  from: Type.Optional(Type.String({ description: 'a date such as 2027-01-01; else the first of this month' })),
  to: Type.Optional(Type.String({ description: 'a date such as 2027-02-01, which is not included; else now' })),
}

export interface AskedRange {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

export const askedMs = ({ now }: Pick<Factory, 'now'>, { from, to }: AskedRange) => ({
  from: from === undefined ? monthStartMs(now()) : dateMs(from, 'from'),
  to: to === undefined ? now() : dateMs(to, 'to'),
})

/** Closed hours [first, end) within what was asked; there is at least one. */
export function closedRange(
  factory: Pick<Factory, 'store' | 'now'>,
  asked: AskedRange,
): { first: number; end: number } {
  const closed = closedHours(factory.store)
  if (!closed)
    throw new ControlError(
      'not_found',
      'no hour is closed yet: nothing was declared to cost anything, or it was just now',
      { next: 'wattmill costs set capacity embedded --per-hour USD   (an hour is posted when it is over)' },
    )
  const { from, to } = askedMs(factory, asked)
  const first = Math.max(closed.first, Math.ceil(from / hour_ms))
  const end = Math.min(closed.end, Math.floor(to / hour_ms))
  if (end > first) return { first, end }
  throw new ControlError('invalid_value', 'no closed hour is in this time', {
    param: 'from',
    next: `Hours are closed from ${isoOrNull(closed.first * hour_ms)} to ${isoOrNull(closed.end * hour_ms)}`,
  })
}
