/** An hour worked out: what each account bears of it. It reads all that was under way in the hour, and writes nothing. */
import type { BorneHour } from '../../../books/cost-hour.ts'
import { borneHour, hour_ms } from '../../../books/cost-hour.ts'
import type { HourPeak } from '../../../books/demand.ts'
import type { HourWork } from '../../../books/work-hour.ts'
import { one } from '../query.ts'
import { fitsIn } from '../step-fits.ts'
import type { Store } from '../store.ts'
import { declarations } from './declarations.ts'
import { hourPeaks } from './demand.ts'
import { gatherHour } from './gather.ts'
import { servedInHour } from './making.ts'

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
  /** The newest booking that was seen. */
  readonly booked: number
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
    booked: newestBooking(books),
  }
}

const newestBooking = ({ database }: Pick<Store, 'database'>): number =>
  one<{ value: number }>(database, "select value from counter where name = 'booked'")?.value ?? 0

/** Within the transaction that posts it: whether another operator of the same store learned something of the hour meanwhile. */
export function learnedSince({ database }: Pick<Store, 'database'>, { hour, declared, booked }: WorkedHour): boolean {
  const [from_ms, to_ms] = [hour * hour_ms, (hour + 1) * hour_ms]
  const said = 'select 1 from cost_declaration where version > ? and from_ms < ? limit 1'
  const settled = 'select 1 from request where booked > ? and closed_ms >= ? and at_ms < ? limit 1'
  return (one(database, said, declared, to_ms) ?? one(database, settled, booked, from_ms, to_ms)) !== undefined
}
