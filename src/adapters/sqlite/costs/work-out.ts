/** An hour worked out: what each account bears of it. It reads all that was under way in the hour, and writes nothing. */
import type { BorneHour } from '../../../books/cost-hour.ts'
import { borneHour } from '../../../books/cost-hour.ts'
import type { HourPeak } from '../../../books/demand.ts'
import type { HourWork } from '../../../books/work-hour.ts'
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
  }
}
