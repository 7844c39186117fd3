import { splitsRolledDay } from '../../adapters/sqlite/answers.ts'
import { ControlError } from './errors.ts'
import type { Factory } from './factory.ts'
import { dateMs, monthStartMs } from './when.ts'

/** The time that a statement is for: from the first of this month until now where nothing else is said. */
export function spanOf(
  { store, now }: Pick<Factory, 'store' | 'now'>,
  from: string | undefined,
  to: string | undefined,
): { readonly from_ms: number; readonly to_ms: number } {
  const now_ms = now()
  const from_ms = from === undefined ? monthStartMs(now_ms) : dateMs(from, 'from')
  const to_ms = to === undefined ? now_ms : dateMs(to, 'to')
  if (to_ms <= from_ms) throw new ControlError('invalid_value', '`to` is not after `from`', { param: 'to' })
  for (const [param, at_ms] of Object.entries({ from: from_ms, to: to_ms }))
    if (splitsRolledDay(store, at_ms))
      throw new ControlError('invalid_value', `of the day of \`${param}\` only sums are kept (retention.detail_days)`, {
        param,
        next: 'Begin and end at midnight UTC: --from 2027-01-01 --to 2027-02-01',
      })
  return { from_ms, to_ms }
}
