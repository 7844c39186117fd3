/** What the hours of a time cost, by whom and by what. Everything printed is worked out in `books/cost-answer.ts`. */
import type { Account } from '../../../books/account.ts'
import { costAnswer } from '../../../books/cost-answer.ts'
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import type { CostFlow } from '../../../books/cost-part.ts'
import type { CostDimension } from '../../../books/cost-place.ts'
import { facilityEnergy } from '../../../books/facility.ts'
import { jobsOf } from '../../../books/making.ts'
import type { Books } from '../books.ts'
import { allBig, one, stream } from '../query.ts'
import { rolledTransfers } from '../rolled.ts'
import { sumsOf } from '../sums.ts'
import { pueFacts } from '../whole-hours.ts'
import { declarations } from './declarations.ts'
import { lineFacts } from './lines.ts'
import { meteredHours } from './metered-hours.ts'

interface Flow {
  readonly debit: Account
  readonly credit: Account
  readonly amount: bigint
  readonly at_ms: bigint
}

/** Hours have had six digits since 1981, so that their order as text is their order in time. */
const sixDigits = 100_000

const moved = `
  select debit, credit, amount, at_ms from transfer
  where id >= ? and id < ? and unit = ?`

const day_h = 24

/** Of days that are rolled up there are sums alone: they are told as of the day's first hour. */
function flowsOf(books: Books, unit: 'nano-USD' | 'ugCO2e', from: number, to: number): CostFlow[] {
  const whole = [...stream<Flow>(books.database, moved, `cost/${Math.max(from, sixDigits)}/`, `cost/${to}/`, unit)].map(
    ({ debit, credit, amount, at_ms }) => ({ from: debit, to: credit, amount, hour: hourOf(Number(at_ms)) }),
  )
  for (const { unit: of, day, ...flow } of rolledTransfers(books)) {
    const isCost = flow.from.startsWith('cost/') || flow.to.startsWith('cost/')
    const hour = day * day_h
    if (of === unit && isCost && hour >= from && hour + day_h <= to) whole.push({ ...flow, hour })
  }
  return whole
}

const time = `
  select sum(busy_s) as busy_s, sum(all_s) as all_s from cost_hour where hour >= ? and hour < ?`

/** Hours [from, to), as far as they are closed. `contracted_w`: what the utility has promised. */
export function costs(books: Books, from: number, to: number, by: CostDimension, contracted_w?: number) {
  const metered = meteredHours(books, from, to)
  const declared = declarations(books)
  const worked = one<{ busy_s: number | null; all_s: number | null }>(books.database, time, from, to)
  return costAnswer(
    {
      from_ms: from * hour_ms,
      to_ms: to * hour_ms,
      flows: flowsOf(books, 'nano-USD', from, to),
      sums: sumsOf(books, 'factory', '', { from_s: from * 3600, to_s: to * 3600, span: 3600 }),
      busy_s: worked?.busy_s ?? 0,
      all_s: worked?.all_s ?? 0,
      carbon: flowsOf(books, 'ugCO2e', from, to),
      facility: facilityEnergy(metered, pueFacts(books, declared, from, to)),
      jobs: jobsOf(declared),
      contracted_w,
      lines: lineFacts(books, by, { from, to, metered }),
    },
    by,
  )
}

/** The first hour that is closed, and the one after the last. */
export function closedHours({ database }: Books): { first: number; end: number } | undefined {
  const [row] = allBig<{ low: bigint | null; high: bigint | null }>(
    database,
    'select min(hour) as low, max(hour) as high from closed_hour',
  )
  return row?.low == null || row.high === null ? undefined : { first: Number(row.low), end: Number(row.high) + 1 }
}
