/** An hour worked out: what each account bears of it. It reads all that was under way in the hour, and writes nothing. */
import type { BorneHour } from '../../../books/cost-hour.ts'
import { borneHour } from '../../../books/cost-hour.ts'
import type { HourPeak } from '../../../books/demand.ts'
import type { HourWork } from '../../../books/work-hour.ts'
import { one } from '../query.ts'
import { fitsIn } from '../step-fits.ts'
import type { Store } from '../store.ts'
import { declarations } from './declarations.ts'
import { hourPeaks } from './demand.ts'
import { gatherHour } from './gather.ts'
import { servedInHour } from './making.ts'
import { isLearnedAfter, lastLearned } from './stale.ts'

export interface WorkedHour {
  readonly hour: number
  readonly costs: readonly BorneHour[]
  readonly work: HourWork
  /** Its highest power, where demand is charged. */
  readonly peaks: readonly HourPeak[]
  /** Tokens by model, where they bear what making it cost. */
  readonly served: ReadonlyMap<string, bigint>
  /** The newest declaration and fit that were known. */
  readonly declared: number
  readonly fit: number
  /** What was learned up to this number was seen, and the hour as it was posted that often. */
  readonly learned: number
  readonly revision: number
}

export function workOut(books: Pick<Store, 'database'>, hour: number): WorkedHour {
  const [declared, fits] = [declarations(books), fitsIn(books)]
  const { costs, work } = gatherHour(books, hour, { declared, fits })
  return {
    hour,
    costs: costs.map(borneHour),
    work,
    peaks: hourPeaks(books, hour, declared),
    served: servedInHour(books, hour, declared),
    declared: declared.at(-1)?.version ?? 0,
    fit: fits.at(-1)?.version ?? 0,
    learned: lastLearned(books),
    revision: revisionOf(books, hour),
  }
}

/** How often an hour was posted. */
export const revisionOf = ({ database }: Pick<Store, 'database'>, hour: number): number =>
  one<{ revision: number }>(database, 'select revision from closed_hour where hour = ?', hour)?.revision ?? 0

/** Within the transaction that posts it: whether anybody booked or declared something of the hour meanwhile, or posted it. */
export const learnedSince = (store: Pick<Store, 'database'>, { hour, learned, revision }: WorkedHour): boolean =>
  revisionOf(store, hour) !== revision || isLearnedAfter(store, learned, hour)
