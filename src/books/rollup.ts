import type { Grade, MeterInterval } from '../plant/energy/meter.ts'
import type { Millijoules } from '../units/amount.ts'
import { millijoules } from '../units/amount.ts'
import type { Transfer } from './account.ts'
import { accounts, dayOf } from './account.ts'
import type { DaySum, Findings } from './check.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow } from './row.ts'
import type { SummedPart } from './statement-sums.ts'
import { StatementSums } from './statement-sums.ts'

/** Transfers of a UTC day between two accounts, as one. Energy is kept apart by how it is known; empty: no energy. */
export interface RolledTransfer extends DaySum {
  readonly grade: Grade | ''
}

export interface RolledInterval {
  readonly meter: string
  readonly day: number
  readonly grade: Grade
  readonly intervals: number
  readonly energy: Millijoules
  readonly idle: Millijoules
}

/**
 * What is kept of days long past: sums by day, such that balances stay what they were, statements of whole days come out the
 * same to the last nano-dollar, and an audit still adds up. What is lost is which request it was.
 */
export class Rollup {
  readonly transfers = new Map<string, RolledTransfer>()
  /** By day. */
  readonly statements = new StatementSums(86_400_000)
  readonly intervals = new Map<string, RolledInterval>()

  /** A settled request, with its transfers in tokens and money; those in energy go with their intervals. */
  request(row: CloseRow, price: PriceVersion | undefined, transfers: readonly Transfer[]): void {
    this.statements.add(row, price)
    this.post(transfers)
  }

  /** Transfers that belong to no request of ours. */
  post(transfers: readonly Transfer[], grade: Grade | '' = ''): void {
    for (const { unit, from, to, amount, at_ms } of transfers) {
      const name = key(unit, from, to, dayOf(at_ms), grade)
      const known = this.transfers.get(name)
      this.transfers.set(name, {
        unit,
        from,
        to,
        grade,
        day: dayOf(at_ms),
        amount: (known?.amount ?? 0n) + amount,
        transfers: (known?.transfers ?? 0) + 1,
      })
    }
  }

  /** An attributed interval, with all of its transfers; `shared`: the grade of these. */
  interval(interval: MeterInterval, transfers: readonly Transfer[], shared = interval.grade): void {
    const { meter, grade, to_ms, energy, idle } = interval
    const name = key(meter, dayOf(to_ms), grade)
    const known = this.intervals.get(name)
    this.intervals.set(name, {
      meter,
      grade,
      day: dayOf(to_ms),
      intervals: (known?.intervals ?? 0) + 1,
      energy: millijoules((known?.energy ?? 0n) + energy),
      idle: millijoules((known?.idle ?? 0n) + idle),
    })
    this.post(transfers, shared)
  }
}

const key = (...parts: readonly (string | number | null)[]): string => JSON.stringify(parts)

/** The two roll-ups of the same requests and intervals tell the same story: what is on statements is what was posted. */
export function auditRolled(
  findings: Findings,
  rolled: {
    readonly transfers: Iterable<RolledTransfer>
    /** By day. */
    readonly parts: Iterable<SummedPart>
    readonly intervals: Iterable<RolledInterval>
  },
): void {
  const rest = new Map<string, bigint>()
  const add = (name: string, amount: bigint): void => void rest.set(name, (rest.get(name) ?? 0n) + amount)
  for (const { unit, from, to, day, amount } of rolled.transfers) {
    if (from.startsWith('cost/') || to.startsWith('cost/')) continue // an hour's, and not a request's
    if (unit === 'mJ') add(`${day} mJ ${from}`, amount)
    if (unit === 'nano-USD') add(`${day} nano-USD ${from}`, amount)
    if (unit === 'token' && to.startsWith('tenant/')) add(`${day} token ${to}`, amount)
  }
  for (const { tenant, application, slot: day, cause, class: tokenClass, tokens, amount } of rolled.parts) {
    if (cause !== null && cause !== 'refund' && cause !== 'cache_hit') continue
    const [whose, what] = [tenant, application] as [
      Parameters<typeof accounts.served>[0],
      Parameters<typeof accounts.served>[1],
    ]
    const payer = cause === 'refund' ? accounts.refund(whose, what) : accounts.tenant(whose, what)
    add(`${day} nano-USD ${payer}`, -amount)
    if (tokenClass === null || cause === 'cache_hit') continue // tokens that a hit spared were made for another
    add(`${day} token ${accounts.served(whose, what, tokenClass)}`, -BigInt(tokens))
  }
  for (const { meter, day, energy } of rolled.intervals) add(`${day} mJ ${accounts.meter(meter)}`, -energy)
  for (const [name, amount] of rest)
    if (amount !== 0n) findings.add('rolled up', name, `transfers and statements differ by ${amount}`)
}
